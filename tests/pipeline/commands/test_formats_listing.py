"""The listing of formats, `docs/formats.md`, and what `formats test` says of a file."""

import json
from pathlib import Path

from click.testing import CliRunner

from retrolog.parsers.detect import registry
from retrolog.pipeline.cli import main
from retrolog.pipeline.commands.formats_listing import as_markdown, listing
from retrolog.pipeline.safe import terminal

DOC = Path(__file__).parents[3] / "docs" / "formats.md"


def run(*arguments: str | Path) -> tuple[str, str]:
    done = CliRunner().invoke(main, ["formats", *map(str, arguments)])
    assert done.exit_code == 0, done.stderr
    return done.stdout, done.stderr


def test_the_document_is_what_the_formats_declare() -> None:
    made = as_markdown(listing(registry()))
    assert DOC.read_text(encoding="utf-8") == made, "run `retrolog formats list --format md > docs/formats.md`"


def test_every_format_is_listed_with_its_samples() -> None:
    text, _ = run("list")
    rows = json.loads(run("list", "--format", "json")[0])
    assert {row["name"] for row in rows} == {form.name for form in registry()}
    for form in registry():
        assert f"\n{form.name}: " in "\n" + text
        assert terminal(form.samples[0].split("\n")[0][:40]) in text
    assert run()[0].endswith(f"{len(rows)} formats\n")
    assert all(row["columns"] and row["samples"] and row["reference"] for row in rows)


def test_a_file_is_told_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "retrolog.toml").write_text(
        "[[format]]\nname = 'shop'\ngrok = '%{WORD:level}~%{TIMESTAMP_ISO8601:time}~%{GREEDYDATA:message}'\n"
    )
    log = tmp_path / "app.log"
    log.write_text("what is this\nINFO~2026-11-23 10:40:29~up\n  at x\nINFO~soon~down\n2026-11-23 10:40:30 WARN slow\x1b[31m\n")
    told, said = run("test", log, "--tz", "Europe/Berlin")
    rows = told.splitlines()
    assert rows[0] == "app.log:"
    assert rows[1].split() == ["1", "not", "understood", "no", "time", "what", "is", "this"]
    assert rows[2].split() == ["shop", "fits", "its", "first", "4", "characters,", "then", "needs", "~"]
    assert rows[3].split()[:4] == ["2", "shop", "2026-11-23T09:40:29.000000+00:00", "severity=info"]
    assert rows[4].split() == ["3", "continues", "line", "2"]
    assert "shop fits its first 5 characters, then needs time" in told
    assert rows[-1].split()[:2] == ["5", "text"]
    assert "\x1b" not in told
    assert "5 lines: 2 continued, 1 not understood, 1 shop, 1 text" in said
    objects = [json.loads(row) for row in run("test", log, "--format", "jsonl")[0].splitlines()]
    assert [(o["line"], o["lines"], o["format"]) for o in objects] == [(1, 1, None), (2, 3, "shop"), (5, 1, "text")]
