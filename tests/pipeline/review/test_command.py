"""The command: its help needs nothing, its page is on this machine only."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from retrolog.pipeline.cli import main
from retrolog.pipeline.errors import BadOption
from retrolog.pipeline.review.serve import start


def test_help_says_what_it_does_and_loads_no_server() -> None:
    answer = CliRunner().invoke(main, ["review", "--help"])
    assert answer.exit_code == 0
    assert "--no-browser" in answer.output
    code = "import sys; sys.argv = ['retrolog', 'review', '--help']\nfrom retrolog.pipeline.cli import main\n"
    code += "try: main()\nexcept SystemExit: pass\nassert 'flask' not in sys.modules and 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_file_that_is_no_draft_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# shopping\n")
    answer = CliRunner().invoke(main, ["review", str(tmp_path / "notes.md"), "--no-browser"])
    assert answer.exit_code == 1
    assert "holds no retrolog draft" in answer.output


def test_a_port_that_is_taken_is_said_so(document: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadOption, match="leave --port out"):
            start(document, port=taken.getsockname()[1])


def test_the_page_listens_on_this_machine_only(served) -> None:  # type: ignore[no-untyped-def]
    assert served.url.startswith("http://127.0.0.1:")
    with urlopen(served.url) as answer:
        assert answer.status == 200
