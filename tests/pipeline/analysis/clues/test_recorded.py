"""Changes recorded outside the logs: where they stand, how they take part in a draft, and that their citations hold."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.analysis.clues.change_records import changes_from_file
from retrolog.pipeline.analysis.clues.recorded import recorded
from retrolog.pipeline.cli import main
from retrolog.pipeline.options import Options
from retrolog.pipeline.window import Window

SECOND = 1_000_000
AT = 1_795_430_400  # 2026-11-23 10:40:00 UTC


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        ("a.csv", "time,summary\n2026-01-01,one\n\n2026-01-02,\"two\nrows\"\r\n2026-01-03,three", [(2, "2026-01-01,one"), (4, '2026-01-02,"two\nrows"'), (6, "2026-01-03,three")]),
        ("b.csv", "\ufeff\n time;summary\n2026-01-01;é\n2026-01-02;b\n", [(3, "2026-01-01;é"), (4, "2026-01-02;b")]),
        ("c.json", '{"about": {"x": 1},\n "changes": [\n  {"time": 1, "summary": "a {b}", "more": {"time": 2}},\n  {"time": 2,\n   "summary": "b"}]}',
         [(3, '  {"time": 1, "summary": "a {b}", "more": {"time": 2}},'), (4, '  {"time": 2,\n   "summary": "b"}]}')]),
        ("d.jsonl", '{"ts": 1, "title": "é"}\n\n{"ts": 2, "title": "b", "x": NaN}\n', [(1, '{"ts": 1, "title": "é"}'), (3, '{"ts": 2, "title": "b", "x": NaN}')]),
        ("e.json", '[{"ts": 2, "title": "same"}, {"ts": 2, "title": "same"}]', [(1, '[{"ts": 2, "title": "same"}, {"ts": 2, "title": "same"}]')] * 2),
    ],
)  # fmt: skip
def test_a_change_knows_its_lines(tmp_path: Path, name: str, text: str, places: list[tuple[int, str]]) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    records = changes_from_file(path)
    assert [(r.line, r.data.decode()) for r in records] == places
    for record in records:
        assert path.read_bytes()[record.offset :].startswith(record.data)


@given(st.lists(st.dictionaries(st.sampled_from(["title", "note", "x"]), st.text(max_size=8) | st.none() | st.integers()), max_size=6), st.sampled_from([None, 1]))
def test_any_json_file_cites_the_object_itself(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], indent: int | None) -> None:
    rows = [row | {"ts": n, "summary": "s"} for n, row in enumerate(rows)]
    path = tmp_path_factory.mktemp("c") / "c.json"
    path.write_text(json.dumps(rows, indent=indent, ensure_ascii=False), encoding="utf-8")
    for record in changes_from_file(path):
        assert f'"ts": {record.time // SECOND}' in record.data.decode()


def test_only_changes_of_the_window_and_shortly_before_count(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("time,summary\n" + "".join(f"{AT + s},c{s}\n" for s in (-200, -50, 0, 99, 100)))
    options = Options(window=Window(AT * SECOND, (AT + 100) * SECOND), changes=(path,))
    assert [r.summary for r in recorded(options, 100 * SECOND)] == ["c-50", "c0", "c99"]
    assert len(recorded(Options(changes=(path,)), 0)) == 5


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Two minutes of requests that fail from the second minute on, a change file, and a clone with a tag."""
    logs = tmp_path / "logs"
    logs.mkdir()
    rows = []
    for second in range(-300, 300):
        status = 502 if 60 <= second < 180 else 200
        stamp = f"23/Nov/2026:10:{40 + second // 60:02d}:{second % 60:02d} +0000"
        rows += [f'192.0.2.{n} - - [{stamp}] "GET /cart/{n} HTTP/1.1" {status} 17 "-" "Mozilla/5.0"\n' for n in range(4)]
    (logs / "access.log").write_text("".join(rows))
    (tmp_path / "deploys.csv").write_text(f"time,kind,service,summary\n{AT + 50},deploy,shop,Release 7 | <b>*of*</b> the shop\n")
    clone = tmp_path / "shop"
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for name in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{name}_NAME": "a", f"GIT_{name}_EMAIL": "a@example.com", f"GIT_{name}_DATE": f"@{AT + 40} +0000"}
    for command in (["init", "-q", str(clone)], ["-C", str(clone), "commit", "-q", "--allow-empty", "-m", "Cut the pool"], ["-C", str(clone), "tag", "-m", "Seven", "v7"]):
        subprocess.run(["git", *command], check=True, env=environment)
    return tmp_path


def draft(here: Path, *more: str | Path) -> str:
    window = ["--from", "2026-11-23 10:36", "--to", "10:45"]
    done = CliRunner().invoke(main, ["draft", str(here / "logs"), *window, *map(str, more)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_recorded_change_is_the_trigger_and_cites_its_line(here: Path) -> None:
    answer = json.loads(draft(here, "--changes", here / "deploys.csv", "--format", "json"))
    trigger = answer["incidents"][0]["trigger"]
    assert "Release 7" in trigger["summary"]
    assert (trigger["evidence"][0]["file"], trigger["evidence"][0]["line"]) == ((here / "deploys.csv").as_posix(), 2)


def test_commits_and_tags_take_part_and_are_verified(here: Path, tmp_path: Path) -> None:
    answer = json.loads(draft(here, "--git", here / "shop", "--format", "json"))
    cited = {one["file"] for row in answer["timeline"] for one in row["evidence"]}
    assert "git:shop@v7" in cited
    document = tmp_path / "d.md"
    document.write_text(draft(here, "--git", here / "shop", "--changes", here / "deploys.csv"), encoding="utf-8")
    digest = hashlib.sha256((here / "deploys.csv").read_bytes().split(b"\n")[1]).hexdigest()[:16]
    assert digest in document.read_text(encoding="utf-8")
    logs = ["verify", str(document), "--logs", str(here / "logs")]
    done = CliRunner().invoke(main, logs)
    assert done.exit_code == 1
    assert "git:shop@v7:1 lost" in done.stdout
    assert "name its clone with --git" in done.stdout
    os.rename(here / "shop", here / "renamed")
    done = CliRunner().invoke(main, [*logs, "--logs", str(here / "deploys.csv"), "--git", str(here / "renamed")])
    assert done.exit_code == 0, done.output
    assert "git:shop@v7:1 moved to git:renamed@v7:1" in done.stdout


def test_without_any_the_answer_is_as_before(here: Path) -> None:
    (here / "none.csv").write_text("time,summary\n")
    before, after = (json.loads(draft(here, *more, "--format", "json")) for more in ((), ("--changes", here / "none.csv")))
    said = [text for text in after.pop("assumptions") if "recorded in" in text]
    assert said == [f"0 changes recorded in {(here / 'none.csv').as_posix()} lie in the window or shortly before it"]
    assert before.pop("assumptions") is not None
    assert before == after
