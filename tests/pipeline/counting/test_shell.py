"""How shell lines quoted in logs are taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.counting.shell import program, simple_commands


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("/usr/bin/systemctl restart nginx", ["systemctl restart nginx"]),
        ("cd /srv && ./run --all; ls | wc -l", ["run --all", "ls", "wc -l"]),
        ("bash -lc 'systemctl stop a && systemctl start a'", ["systemctl stop a", "systemctl start a"]),
        ('psql -c "SELECT 1; SELECT 2" | cat', ['psql -c "SELECT 1; SELECT 2"', "cat"]),
        ("if [ -x /opt/a ]; then /opt/a; fi", ["a"]),
        ("test -x /opt/a || { cd / && run-parts /etc/cron.daily; }", ["run-parts /etc/cron.daily"]),
        ("A=1 nice -n 19 ionice -c 3 /opt/report --daily", ["report --daily"]),
        ("flock -n /run/x.lock timeout 10m /opt/job", ["job"]),
        ("/opt/a --x >> /var/log/a.log 2>&1 & /opt/b < in.txt", ["a --x", "b"]),
        ("", []),
        ("   ;;; ", []),
    ],
)
def test_simple_commands(command: str, parts: list[str]) -> None:
    assert simple_commands(command) == parts


def test_the_first_program_names_a_line() -> None:
    assert program("test -x /opt/bin/export && /opt/bin/export --full") == "export"
    assert program("cd /") is None


@given(st.text(alphabet="ab /;|&'\"{}[]()=\0\n-$", max_size=200))
def test_any_text_is_taken_apart(command: str) -> None:
    for part in simple_commands(command):
        assert part.strip()
