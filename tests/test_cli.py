"""The command line: each trouble of a user is one sentence and the right exit status, and the same input is the same bytes.

Exit status: 0 done (also when nothing was found), 1 nothing could be read or what was asked does not hold, 2 usage.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from retrolog.pipeline.cli import main

HERE = Path(__file__).parent
LOGS = HERE / "drafts" / "wrong_port" / "logs"
WINDOW = ["--from", "2026-03-10 14:04", "--to", "14:15", "--tz", "America/New_York"]
RETROLOG = [sys.executable, "-m", "retrolog"]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A document, as `draft` makes it."""
    result = run("draft", LOGS, *WINDOW)
    assert result.exit_code == 0, result.stderr
    return result.stdout_bytes


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drafted: bytes) -> Path:
    """A folder to work in, with what the table of troubles names."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(LOGS, "logs")
    Path("empty").mkdir()
    Path("binary").mkdir()
    Path("binary/core.log").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 40)
    Path("notes.md").write_text("# Groceries\n\n- milk\n")
    Path("latin.md").write_bytes(b"caf\xe9\n")
    Path("draft.md").write_bytes(drafted)
    Path("bad.toml").write_text("[draft]\nstile = 'course'\n")
    Path("loop.log").symlink_to("loop.log")
    return tmp_path


#: (what it is, words, exit status, what the sentence on standard error says)
TROUBLES = [
    ("a path that is missing", "draft nowhere", 1, r"nowhere cannot be read: .*[Nn]o such"),
    ("a path through a file", "draft logs/syslog/x", 1, r"cannot be read"),
    ("a link to itself", "draft loop.log", 1, r"loop\.log cannot be read"),
    ("an empty directory", "draft empty", 1, r"There is no file in empty"),
    ("nothing but binary files", "draft binary", 1, r"core\.log cannot be read: it looks like"),
    ("patterns that leave nothing", "draft logs --include *.nothing", 1, r"None of the 4 files in logs fits"),
    ("no path", "draft", 2, r"Missing argument 'PATH\.\.\.'"),
    ("an unknown command", "drat logs", 2, r"No such command 'drat'"),
    ("an unknown option", "draft logs --form 10:00", 2, r"No such option.*--form"),
    ("a reversed window", "draft logs --from 2026-03-10T15:00 --to 2026-03-10T14:00", 2, r"ends .* before .* swap --from and --to"),
    ("a window of no length", "draft logs --from 2026-03-10T15:00 --to 2026-03-10T15:00", 2, r"ends .* before or when it starts"),
    ("a bound that is no time", "draft logs --from yesteryear", 2, r"--from 'yesteryear' is no time that can be read; try"),
    ("bounds without a day", "draft logs --from 14:00 --to 15:00", 2, r"name no day; give a date"),
    ("a time of day beyond the day", "draft logs --from 2026-03-10T14:00 --to 25:61", 2, r"'25:61' is no time of day"),
    ("an unknown zone", "draft logs --tz Mars/Olympus", 2, r"'Mars/Olympus' is no time zone; try"),
    ("a zone that is a path", "draft logs --tz ../../etc/passwd", 2, r"is no time zone"),
    ("an offset beyond a day", "draft logs --tz +99:00", 2, r"a day or more"),
    ("an unknown style", "draft logs --style baroque", 2, r"'baroque'; built in are retrolog"),
    ("too few entries", "draft logs --max-entries 1", 2, r"--max-entries"),
    ("a clock offset without a number", "draft logs --clock-offset db-1", 2, r"--clock-offset 'db-1' is no GLOB=SECONDS"),
    ("settings that are misspelt", "draft logs --config bad.toml", 2, r"unknown key `stile`; did you mean `style`"),
    ("settings that are missing", "draft logs --config none.toml", 2, r"none\.toml.*does not exist"),
    ("a draft over something else", "draft logs -o notes.md", 1, r"notes\.md holds no draft, so it is not overwritten"),
    ("a draft over bytes", "draft logs -o latin.md", 1, r"latin\.md is no UTF-8 text, so it is not overwritten"),
    ("a draft over a log", "draft logs -o logs/syslog", 1, r"logs/syslog holds no draft"),
    ("a draft over a directory", "draft logs -o empty", 2, r"is a directory"),
    ("a draft into no folder", "draft logs -o none/draft.md", 1, r"none/draft\.md cannot be written \(No such file"),
    ("an answer over something else", "draft logs --format json -o notes.md", 1, r"holds no answer of retrolog, so it is not overwritten"),
    ("an answer over a draft", "draft logs --format json -o draft.md", 1, r"holds no answer of retrolog, so it is not overwritten"),
    ("events over a draft", "events logs -o draft.md", 1, r"draft\.md holds a draft, which is not overwritten"),
    ("events over a log", "events logs -o logs/syslog", 1, r"logs/syslog is one of the logs that are read"),
    ("events of no path", "events nowhere", 1, r"nowhere cannot be read"),
    ("a table without a file", "events logs --format parquet", 2, r"name a file with -o"),
    ("inspecting no path", "inspect nowhere", 1, r"nowhere cannot be read"),
    ("finding in no path", "find nowhere", 1, r"nowhere cannot be read"),
    ("trying a format on no file", "formats test nowhere", 1, r"nowhere cannot be read"),
    ("rendering no file", "render nowhere.md -o x.html", 1, r"nowhere\.md cannot be read \(No such file"),
    ("rendering a directory", "render empty -o x.html", 1, r"empty cannot be read \(Is a directory\)"),
    ("rendering something else", "render notes.md -o x.html", 1, r"holds no retrolog draft"),
    ("rendering bytes", "render latin.md -o x.html", 1, r"no UTF-8 text"),
    ("rendering over the document", "render draft.md -o draft.md", 1, r"draft\.md holds a draft, which is not overwritten"),
    ("rendering to no known ending", "render draft.md -o x.odt", 2, r"x\.odt names no form .* end it in one of \.html"),
    ("a tracker for a page", "render draft.md --for jira -o x.html", 2, r"--for jira is about Markdown, and html was asked for"),
    ("a tracker for a PDF", "render draft.md --for jira --to pdf", 2, r"--for jira is about Markdown"),
    ("two audiences", "render draft.md --executive --audience external", 2, r"choose one of them"),
    ("an unfinished document", "render draft.md --strict -o x.html", 1, r"draft\.md is not finished"),
    ("checking something else", "check notes.md", 1, r"holds no retrolog draft"),
    ("checking an unfinished draft", "check draft.md", 1, None),
    ("verifying something else", "verify notes.md --logs logs", 1, r"holds no retrolog draft"),
    ("verifying without logs", "verify draft.md --logs nowhere", 1, r"nowhere cannot be read"),
    ("verifying in other logs", "verify draft.md --logs draft.md", 1, r"0 confirmed"),
    ("verifying nowhere", "verify draft.md", 2, r"Missing option '--logs'"),
    ("reviewing no file", "review nowhere.md --no-browser", 1, r"nowhere\.md cannot be read"),
    ("reviewing something else", "review notes.md --no-browser", 1, r"notes\.md holds no retrolog draft"),
    ("exporting something else", "export notes.md", 1, r"holds no retrolog draft"),
    ("exporting to no form of it", "export draft.md --what timeline --format jira", 2, r"the timeline cannot be written as jira; choose"),
    ("copying no style", "templates copy baroque", 2, r"no style called 'baroque'"),
    ("copying into a file", "templates copy course -o notes.md", 2, r"is a file"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "status", "says"), [row[1:] for row in TROUBLES], ids=[row[0] for row in TROUBLES])
def test_troubles(place: Path, words: str, status: int, says: str | None) -> None:
    before = {path: path.read_bytes() for path in (Path("notes.md"), Path("latin.md"), Path("draft.md"), Path("logs/syslog"))}
    result = run(*words.split())
    assert result.exit_code == status, result.output
    if says:
        assert re.search(says, result.stderr), result.stderr
        assert len([line for line in result.stderr.splitlines() if line.startswith(("retrolog: ", "Error: "))]) >= 1
    assert "Traceback" not in result.output
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not stop the superuser")
def test_a_file_without_permission(place: Path) -> None:
    Path("logs/syslog").chmod(0)
    result = run("draft", "logs", *WINDOW)
    assert result.exit_code == 0
    assert "syslog" in result.stdout
    assert "ermission" in result.stdout


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("weasyprint", "x.pdf", "retrolog[pdf]"), ("docx", "x.docx", "retrolog[docx]")],
)
def test_a_missing_extra_names_its_command(
    place: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = run("render", "draft.md", "-o", name)
    assert result.exit_code == 1
    assert f"pip install '{extra}'" in result.stderr
    assert not Path(name).exists()


NOTHING = "no event lies in the window; these logs cover 2026-03-10 14:00:00 to 2026-03-10 14:16:00 (America/New_York, UTC-04:00)"


@pytest.mark.parametrize("command", ["draft", "events", "find"])
def test_a_window_beside_the_logs_names_their_span(place: Path, command: str) -> None:
    result = run(command, "logs", "--from", "2026-03-12 10:00", "--to", "11:00", "--tz", "America/New_York")
    assert result.exit_code == 0
    assert NOTHING in result.stderr
    if command == "draft":
        assert NOTHING.split(" (")[0] in result.stdout
        assert "No event in the window" in result.stdout


@pytest.mark.parametrize("command", ["draft", "events", "find"])
def test_empty_logs_are_no_error(place: Path, command: str) -> None:
    Path("empty/app.log").touch()
    result = run(command, "empty")
    assert result.exit_code == 0
    assert "these logs hold no event with a time" in result.stderr


def test_a_truncated_packed_log_is_drafted_as_far_as_it_goes(place: Path) -> None:
    packed = Path("logs/nginx/access.log.2.gz")
    packed.write_bytes(packed.read_bytes()[:-200])
    result = run("draft", "logs", *WINDOW)
    assert result.exit_code == 0
    assert "the gzip data ends early" in result.stdout
    assert "incidents:\n- {severity: outage" in result.stdout


def test_what_cannot_be_read_is_listed_in_the_draft(place: Path) -> None:
    shutil.copytree("binary", "logs/binary")
    Path("logs/gone.log").symlink_to("nowhere")
    result = run("draft", "logs", *WINDOW)
    assert result.exit_code == 0
    assert re.search(r"binary/core\.log.*it looks like", result.stdout)
    assert re.search(r"gone\.log.*[Nn]o such file", result.stdout)


def test_a_draft_is_renewed_and_words_stay(place: Path) -> None:
    document = Path("draft.md")
    document.write_bytes(document.read_bytes().replace(b"\n## Timeline\n", b"\n## Timeline\n\nWe were at lunch.\n", 1))
    result = run("draft", "logs", *WINDOW, "-o", "draft.md")
    assert result.exit_code == 0, result.stderr
    assert "We were at lunch." in document.read_text()
    assert document.stat().st_size > 5000


def test_line_ends_of_an_edited_draft_stay(place: Path) -> None:
    document = Path("draft.md")
    document.write_bytes(document.read_bytes().replace(b"\n", b"\r\n"))
    assert run("draft", "logs", *WINDOW, "-o", "draft.md").exit_code == 0
    assert re.findall(rb"(?<!\r)\n", document.read_bytes()) == []


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("x.html", b"<!doctype html>"), ("x.PDF", b"%PDF-"), ("x.docx", b"PK"), ("x.md", b"# "), ("x.txt", b"*"), ("x.xml", b"<"),
    ],
)  # fmt: skip
def test_the_ending_chooses_the_form(place: Path, name: str, begins: bytes) -> None:
    if name == "x.PDF":
        pytest.importorskip("weasyprint")
    if name == "x.docx":
        pytest.importorskip("docx")
    result = run("render", "draft.md", "-o", name)
    assert result.exit_code == 0, result.stderr
    assert Path(name).read_bytes().lower().startswith(begins.lower())
    assert result.stdout == ""


@pytest.mark.parametrize("target", ["github", "gitlab", "notion", "jira"])
def test_markdown_for_trackers(place: Path, target: str) -> None:
    text = run("render", "draft.md", "--for", target).stdout
    assert text.startswith("# ")
    assert "retrolog:block" not in text
    assert ("```mermaid" in text) == (target != "jira")


def test_customers_read_nothing_internal(place: Path) -> None:
    text = run("render", "draft.md", "--to", "md", "--audience", "external").stdout
    assert "87.0 % of requests failed" in text
    assert re.findall("nginx|box1|tickets|seats|reload|278|277|241", text) == []


@pytest.mark.parametrize("style", ["retrolog", "srebook", "atlassian", "pagerduty", "course"])
def test_a_copied_style_drafts_what_the_built_in_one_does(place: Path, style: str) -> None:
    assert run("templates", "copy", style, "-o", "mine").exit_code == 0
    assert run("templates", "copy", style, "-o", "mine").exit_code == 1  # nothing is overwritten
    own = run("draft", "logs", *WINDOW, "--style", f"mine/{style}.md.j2").stdout
    built_in = run("draft", "logs", *WINDOW, "--style", style).stdout
    assert own.split("---\n", 2)[2].split("<!-- retrolog:data index")[0] == built_in.split("---\n", 2)[2].split("<!-- retrolog:data index")[0]
    assert style in run("templates").stdout


def test_an_interrupt_that_an_import_swallows_still_counts(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while pandas was being imported came out as an AttributeError of its half-made module."""

    def swallow(*_: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise AttributeError("module 'pandas' has no attribute 'Int8Dtype'")

    monkeypatch.setattr("retrolog.pipeline.investigate.investigate", swallow)
    before = signal.getsignal(signal.SIGINT)
    result = run("draft", LOGS)
    assert result.exit_code == 130
    assert "retrolog: interrupted" in result.stderr
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupted_command_says_so_and_leaves_no_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("retrolog.pipeline.investigate.investigate", stop)
    before = Path("draft.md").read_bytes()
    result = run("draft", "logs", *WINDOW, "-o", "draft.md")
    assert result.exit_code == 130
    assert "retrolog: interrupted" in result.stderr
    assert Path("draft.md").read_bytes() == before
    assert [path.name for path in Path().iterdir() if path.name.endswith(".tmp")] == []


@pytest.mark.skipif(os.name != "posix", reason="signals and file descriptors of POSIX systems")
class TestProcess:
    """What only a process of its own can show."""

    def test_help_comes_at_once(self) -> None:
        code = (
            "import sys, retrolog.pipeline.cli as cli\n"
            "try: cli.main(['draft', '--help'])\nexcept SystemExit: pass\n"
            "heavy = {'pandas', 'pyarrow', 'numpy', 'jinja2', 'yaml', 'flask', 'markdown_it', 'dask'} & set(sys.modules)\n"
            "assert not heavy, heavy"
        )
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr == ""

    def test_events_do_not_import_pandas(self) -> None:
        code = (
            "import sys, retrolog.pipeline.cli as cli\n"
            f"try: cli.main(['events', {str(LOGS)!r}])\nexcept SystemExit as end: assert not end.code\n"
            "assert 'pandas' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    def test_a_reader_that_leaves(self) -> None:
        process = subprocess.Popen([*RETROLOG, "events", str(LOGS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(60) == 0
        assert "Traceback" not in errors
        assert "Exception ignored" not in errors

    @pytest.mark.parametrize("command", ["draft", "events", "inspect"])
    def test_a_closed_output(self, command: str) -> None:
        words = " ".join([sys.executable, "-m", "retrolog", command, str(LOGS)])
        done = subprocess.run(["sh", "-c", f"{words} >&-"], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "standard output is closed; name a file with -o" in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
    def test_a_full_disk(self) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*RETROLOG, "events", str(LOGS)], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1
        assert "standard output cannot be written (No space left on device)" in done.stderr
        assert "Traceback" not in done.stderr

    def test_control_c(self) -> None:
        process = subprocess.Popen([*RETROLOG, "inspect", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert process.stdin is not None
        process.stdin.write(b"2026-11-23 12:00:00 steady\n" * 20_000)  # more than a pipe holds: it is reading when this returns
        for _ in range(60):  # as a user does: what is just being imported may swallow one
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
                break
        assert process.wait(1) == 130
        assert process.stderr.read().decode() == "retrolog: interrupted\n"

    def test_the_same_input_is_the_same_bytes_everywhere(self, tmp_path: Path) -> None:
        """Machine zone, locale, encoding, home, hash seed, directory and time of day leave no trace in a document."""
        shutil.copytree(LOGS, tmp_path / "a" / "logs")
        shutil.copytree(LOGS, tmp_path / "b" / "logs", copy_function=shutil.copy)
        for path in (tmp_path / "b" / "logs").rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))  # with a window, no year is taken from it
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "TZ", "PYTHON"))}
        odd = [
            ("a", {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1", "HOME": str(tmp_path)}),
            ("b", {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "PYTHONIOENCODING": "latin-1", "PYTHONHASHSEED": "2", "HOME": "/"}),
        ]
        for words in (["draft", "logs", *WINDOW], ["events", "logs", *WINDOW], ["find", "logs", *WINDOW]):
            outs = [
                subprocess.run([*RETROLOG, *words], cwd=tmp_path / folder, env={**kept, **more}, capture_output=True, check=True).stdout
                for folder, more in odd
            ]
            assert outs[0] == outs[1]
            assert len(outs[0]) > 100


def test_file_names_that_are_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may hold any bytes but a slash: escapes, bytes that are no UTF-8, Markdown, line feeds."""
    monkeypatch.chdir(tmp_path)
    data = gzip.decompress((LOGS / "nginx" / "access.log.2.gz").read_bytes())
    folder = os.fsencode("in") + b"\xff"
    try:
        os.mkdir(folder)
        for name in (b"\xe9.log", b"\x1b[31m.log", b"[a](b)\n.log", b"`|<b>.log"):
            Path(os.fsdecode(folder + b"/" + name)).write_bytes(data)
    except OSError:
        pytest.skip("this file system takes only text as names")
    monkeypatch.setattr(sys, "argv", ["retrolog", "draft", os.fsdecode(folder)])
    result = run("draft", os.fsdecode(folder))
    assert result.exit_code == 0, result.output
    result.stdout_bytes.decode("utf-8")
    assert "\x1b" not in result.stdout
    assert run("inspect", os.fsdecode(folder)).exit_code == 0
