"""What single log lines are recognised as: the lexicon against tables of real message texts, and what must not break it."""

from __future__ import annotations

import csv
import subprocess
import time
import tomllib
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers.base import SEVERITIES
from retrolog.pipeline.analysis.clues.change_records import changes_from_file, changes_from_git
from retrolog.pipeline.counting import changes
from retrolog.pipeline.counting.changes import ROLES, Lexicon, Mark
from retrolog.pipeline.errors import BadOption

CASES = sorted((Path(__file__).parent / "cases" / "changes").glob("*.tsv"))
LEXICON = Lexicon.load()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, restkey="rest"))


ROWS = [(path.stem, row) for path in CASES for row in _rows(path)]


def test_the_tables_are_there_and_large_enough() -> None:
    ordinary = sum(row["kind"] == "-" for _, row in ROWS)
    assert ordinary >= 100
    assert len(ROWS) - ordinary >= 250
    assert not [row for _, row in ROWS if "rest" in row or None in row.values()]


@pytest.mark.parametrize(
    ("table", "row"), ROWS, ids=[f"{table}-{row['message'][:60]}" for table, row in ROWS]
)
def test_a_line_is_what_the_table_says(table: str, row: dict[str, str]) -> None:
    mark = LEXICON.mark(row["service"], row["message"], row["severity"], "syslog")
    if row["kind"] == "-":
        assert mark is None
        return
    assert mark is not None
    assert (mark.kind, mark.role) == (row["kind"], row["role"])
    assert mark.routine == (row["role"] == "routine")
    assert mark.weight >= 0
    if row["role"] in ("routine", "detection", "resolved", "note"):
        assert mark.weight == 0
    if row["subject"]:
        assert mark.subject == row["subject"]


@pytest.mark.parametrize(
    ("message", "phase"),
    [
        ("starting deploy of shop 1.2.3 requested by tom", "start"),
        ("shop 1.2.3 is live", "end"),
        ("rolling back shop to 1.2.2", "start"),
        ("rollback of shop finished, 1.2.2 is live", "end"),
        ("Successfully deployed api:1.42.0 to production", "end"),
        ("invoice-export started", "start"),
        ("invoice-export finished", "end"),
    ],
)
def test_phases_are_read(message: str, phase: str) -> None:
    mark = LEXICON.mark("deploy", message, "info", "syslog")
    assert mark is not None
    assert mark.phase == phase


def test_who_asked_for_a_deploy_is_read() -> None:
    mark = LEXICON.mark(
        "deploy", "starting deploy of shop 1.2.3 (1a2b3c4) requested by tom", "info", "syslog"
    )
    assert mark == Mark("deploy", "change", 3.0, False, "shop", "tom", "start")


def test_classes_rank_as_experience_says() -> None:
    def weight(service: str, message: str) -> float:
        mark = LEXICON.mark(service, message, "info", "syslog")
        assert mark is not None
        return mark.weight

    deploy = weight("deploy", "starting deploy of shop 1.2.3")
    schema = weight("postgresql", "statement: ALTER TABLE orders ADD COLUMN note text")
    restart = weight("systemd", "Stopping worker.service - Worker...")
    cron = weight("CRON", "(root) CMD (/opt/bin/send-mails)")
    rotation = weight("systemd", "Finished logrotate.service - Rotate log files.")
    assert deploy > schema > restart > cron > rotation == 0


def test_a_persons_tag_makes_a_note_only_when_the_person_was_seen() -> None:
    services = ["kowalski", "sudo", "deploy", "kowalski", "mueller", "shop"]
    messages = [
        "97 connections by role reports",
        " kowalski : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/systemctl stop worker",
        "starting deploy of shop 1.2.3 requested by mueller",
        "restarting shop-worker",
        "AccessExclusiveLock on orders held by psql",
        "97 connections by role reports",
    ]
    severities = ["notice"] * len(services)
    marks = LEXICON.mark_all(services, messages, severities, ["syslog"] * len(services))
    assert LEXICON.mark(services[0], messages[0], "notice", "syslog") is None
    assert [mark and (mark.role, mark.kind, mark.actor) for mark in marks] == [
        ("note", "note", "kowalski"),
        ("action", "stop", "kowalski"),
        ("change", "deploy", "mueller"),
        ("action", "restart", "kowalski"),
        ("note", "note", "mueller"),
        None,
    ]


def test_tools_that_act_are_no_people() -> None:
    services = ["puppet", "puppet", "CRON", "cron"]
    messages = [
        "(/Stage[main]/Web/Service[nginx]) Triggered 'refresh' from 1 event",
        "Could not find a suitable provider",
        "(root) CMD (/opt/bin/send-mails)",
        "Some unknown line",
    ]
    marks = LEXICON.mark_all(services, messages, [None] * 4, ["syslog"] * 4)
    assert marks[1] is None
    assert marks[3] is None


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        LEXICON.mark_all(["a"], ["b", "c"], [None], [None])


@pytest.mark.parametrize(
    ("command", "kind", "subject"),
    [
        ("/bin/bash -c 'systemctl restart nginx'", "restart", "nginx"),
        ("/usr/bin/env FOO=1 /usr/bin/systemctl restart nginx", "restart", "nginx"),
        ("/usr/bin/timeout 10 /usr/bin/systemctl restart nginx", "restart", "nginx"),
        ("/usr/bin/tail -f /var/log/restart.log", "look", None),
        ("/usr/bin/cat /etc/passwd | /usr/bin/grep deploy", "look", None),
        ("/usr/bin/psql -c SELECT 'a; ALTER TABLE x'", "migration", "x"),
        ("/usr/bin/tail /var/log/syslog; /bin/rm -rf /srv/cache", "data", "/srv/cache"),
        ("/usr/local/bin/helm rollback shop 41", "rollback", "shop"),
        ("/usr/local/bin/helm list", "look", None),
        ("/usr/sbin/reboot", "restart", "host"),
        ("/srv/shop/bin/deploy shop 1.2.3", "deploy", "shop"),
        ("", "command", None),
    ],
)
def test_what_a_sudo_command_does(command: str, kind: str, subject: str | None) -> None:
    mark = LEXICON.mark(
        "sudo", f"  anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={command} ", None, "syslog"
    )
    assert mark is not None
    assert mark.kind == kind
    assert mark.actor == "anna"
    if subject is not None:
        assert mark.subject == subject


def test_a_names_control_characters_and_length_do_not_survive() -> None:
    mark = LEXICON.mark("sudo", "a\x1b[31mnna : TTY=x ; COMMAND=/x/" + "y" * 500, None, "syslog")
    assert mark is not None
    assert mark.actor == "a[31mnna"
    assert mark.subject is not None
    assert len(mark.subject) <= 80


@given(
    st.one_of(st.none(), st.text(max_size=20)),
    st.text(max_size=300),
    st.sampled_from([None, *SEVERITIES]),
    st.sampled_from([None, "syslog", "json", "postgresql"]),
)
def test_any_text_gives_a_sound_mark_or_none(
    service: str | None, message: str, severity: str | None, format: str | None
) -> None:
    mark = LEXICON.mark(service, message, severity, format)
    if mark is not None:
        assert mark.role in ROLES
        assert mark.routine == (mark.role == "routine")
        assert mark.phase in (None, "start", "end")
        assert all(
            name is None or (name.isprintable() and 0 < len(name) <= 80)
            for name in (mark.subject, mark.actor)
        )


WORDS = sorted({word for _, row in ROWS for word in row["message"].split()})


@given(
    st.lists(st.sampled_from(WORDS), max_size=40),
    st.sampled_from(sorted({row["service"] for _, row in ROWS})),
)
def test_words_of_the_tables_in_any_order_are_survived(words: list[str], service: str) -> None:
    LEXICON.mark(service, " ".join(words), "error", "syslog")


@pytest.mark.parametrize(
    "unit",
    [
        "deploy ",
        "a" * 50 + " ",
        "alert ",
        "sudo : COMMAND=",
        "restart -",
        "certificate ",
        "((",
        "File[",
        "\\",
        "flag x ",
        "=1 ",
    ],
)
@pytest.mark.parametrize("start", ["", "root : COMMAND=", "(root) CMD (", "statement: ALTER TABLE "])
def test_a_hostile_megabyte_costs_no_more_than_a_line(start: str, unit: str) -> None:
    text = start + unit * (1_000_000 // len(unit))
    begin = time.process_time()
    LEXICON.mark("systemd", text, "error", "syslog")
    LEXICON.mark("sudo", text, "error", "syslog")
    assert time.process_time() - begin < 1.0


def test_the_last_line_of_a_long_trace_is_read() -> None:
    trace = (
        "Unhandled\n"
        + "  at com.example.Shop.run(Shop.java)\n" * 200
        + "java.lang.OutOfMemoryError: Java heap space"
    )
    mark = LEXICON.mark("shop", trace, "error", "java")
    assert mark is not None
    assert mark.kind == "oom"


def test_a_users_lexicon_is_asked_first(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        """
        [kind]
        broadcast = { role = "change", weight = 2.5 }
        [[rule]]
        about = "Our channel switch"
        kind = "broadcast"
        match = ['канал (?P<subject>\\w+) включен', '^started GET']
        [[command]]
        kind = "broadcast"
        match = ['^zap (?P<subject>\\w+)']
        """,
        encoding="utf-8",
    )
    lexicon = Lexicon.load(path)
    assert lexicon.mark("tv", "канал news включен") == Mark("broadcast", "change", 2.5, False, "news")
    assert lexicon.mark("tv", "Started GET /") == Mark("broadcast", "change", 2.5, False)
    mark = lexicon.mark("sudo", "anna : TTY=x ; COMMAND=/opt/zap news")
    assert mark == Mark("broadcast", "change", 2.5, False, "news", "anna")
    assert lexicon.mark("deploy", "starting deploy of shop 1.2.3") is not None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[rule]]\nkind = 'nonsense'\nmatch = ['x']", "unknown kind"),
        ("[[rule]]\nkind = 'deploy'\nmatch = ['(']", "does not compile"),
        ("[[rule]]\nkind = 'deploy'", "no `match`"),
        ("[[rule]]\nkind = 'deploy'\nmatch = [1]", "no list of texts"),
        ("[[rule]]\nkind = 'deploy'\nmatch = ['x']\nrole = 'king'", "unknown role"),
        ("[[rule]]\nkind = 'deploy'\nmatch = ['x']\nseverity = 'loud'", "unknown severity"),
        ("[[rule]]\nkind = 'deploy'\nmatch = ['x']\nweight = 'heavy'", "no number"),
        ("[[rule]]\nkind = 'deploy'\nmatch = ['x']\nsubject = 1", "no text"),
        ("[[rule]]\nkind = 'deploy'\nmatch = ['x']\nvia = 'pigeon'", "unknown `via`"),
        ("[[rule]]\nkind = 'deploy'\nmatch = ['x']\nspelled = 1", "unknown key"),
        ("[rule]\nkind = 'deploy'", r"list of tables, \[\[rule\]\]"),
        ("kind = 1", "must be tables"),
        ("[kind]\nx = 1", "needs a role"),
        ("[kind]\nx = { role = 'change', weight = 'y' }", "no number"),
        ("not toml", "is not TOML"),
    ],
)
def test_a_broken_lexicon_says_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadOption, match=complaint):
        Lexicon.load(path)


def test_every_shipped_pattern_compiles() -> None:
    text = (Path(changes.__file__).parent / "lexicon.toml").read_text(encoding="utf-8")
    Lexicon([tomllib.loads(text)])


def test_a_missing_lexicon_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"missing\.toml cannot be read"):
        Lexicon.load(tmp_path / "missing.toml")


# ---- change files and git -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "a.csv",
            "time,summary,kind,service\n2024-05-06T07:08:09Z,Deploy 1.2,Deploy,shop\n\n2024-05-06T07:08:08.5+00:00,x,,\n",
            [(1714979288500000, "x", "change", None), (1714979289000000, "Deploy 1.2", "deploy", "shop")],
        ),
        ("b.csv", "\ufeffDate;Title\n2024-05-06 09:08:09;Umbau\n", [(1714979289000000, "Umbau", "change", None)]),
        (
            "c.json",
            '{"changes": [{"timestamp": 1714979289, "message": "flag on", "type": "flag", "component": "ui"}]}',
            [(1714979289000000, "flag on", "flag", "ui")],
        ),
        ("d.jsonl", '{"ts": 1714979289123, "title": "a"}\n{"ts": "1714979289", "title": "b"}\n',
         [(1714979289000000, "b", "change", None), (1714979289123000, "a", "change", None)]),
        ("e.json", "[]", []),
        ("f.csv", "", []),
    ],
)  # fmt: skip
def test_a_change_file_is_read(
    tmp_path: Path, name: str, text: str, expected: list[tuple[int, str, str, str | None]]
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    zone = timezone(timedelta(hours=2)) if name == "b.csv" else UTC
    assert [record[:4] for record in changes_from_file(path, zone)] == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("time,summary\n,x\n", "Row 1 .* has no time"),
        ("time,summary\n2024-05-06,\n", "Row 1 .* has no summary"),
        ("time,summary\nsoon,x\n", "'soon', which cannot be read"),
        ("time,summary\n07:08,x\n", "lacks a part of the date"),
        ("time,summary\n-5,x\n", "no epoch time"),
        ("time,summary\nnan,x\n", "no epoch time"),
        ("[1, 2]", "other than objects"),
        ('{"a": ', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_broken_change_file_says_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "changes"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadOption, match=complaint):
        changes_from_file(path)


def test_a_change_file_that_is_no_text_or_missing(tmp_path: Path) -> None:
    path = tmp_path / "changes.csv"
    with pytest.raises(BadOption, match="cannot be read"):
        changes_from_file(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadOption, match="not UTF-8"):
        changes_from_file(path)


def _git(folder: Path, *arguments: str, at: int = 1_714_979_289) -> None:
    who = {"NAME": "A", "EMAIL": "a@example.com", "DATE": f"@{at} +0200"}
    environment = {
        f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()
    }
    environment |= {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
    }
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, env=environment, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "First\n\nbody", at=1_714_970_000)
    _git(folder, "commit", "-q", "--allow-empty", "-m", "Raise the \x1b[31mpool size")
    _git(folder, "tag", "light")
    _git(folder, "tag", "-a", "v1.2", "-m", "Release 1.2", at=1_714_979_300)
    return folder


def test_commits_and_tags_of_a_clone(clone: Path) -> None:
    records = changes_from_git(clone)
    assert [(record.time, record.kind) for record in records] == [
        (1_714_970_000_000_000, "commit"),
        (1_714_979_289_000_000, "commit"),
        (1_714_979_289_000_000, "tag"),
        (1_714_979_300_000_000, "tag"),
    ]
    assert records[0].summary.endswith(": First")
    assert records[3].summary == "tag v1.2: Release 1.2"
    assert records[3].subject == "v1.2"


def test_a_span_of_a_clones_history(clone: Path) -> None:
    since = 1_714_979_289_000_000
    assert [record.kind for record in changes_from_git(clone, since, since + 1)] == ["commit", "tag"]
    assert changes_from_git(clone, since + 60_000_000) == []


def test_a_clones_settings_run_nothing(clone: Path) -> None:
    trap = clone / "ran"
    for setting in (
        "core.fsmonitor",
        "core.pager",
        "gpg.program",
        "log.showSignature",
        "diff.external",
        "core.sshCommand",
    ):
        _git(clone, "config", setting, "true" if setting == "log.showSignature" else f"touch {trap}")
    assert len(changes_from_git(clone)) == 4
    assert not trap.exists()


def test_an_empty_clone_has_no_changes(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    assert changes_from_git(tmp_path) == []


def test_what_is_no_clone_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="is no folder"):
        changes_from_git(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadOption, match="cannot be read"):
        changes_from_git(tmp_path / "empty")
