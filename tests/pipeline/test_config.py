"""`retrolog.toml`: found, read, refused in a sentence, and beaten by options."""

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.cli import main
from retrolog.pipeline.config import KEYS, Config, find, load, read
from retrolog.pipeline.errors import BadOption
from retrolog.pipeline.reading.logfile import LogFile
from retrolog.pipeline.reading.rules import together

DOC = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = "2026-11-23 10:40:29 INFO hello\n"

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


def events(*arguments: str | Path) -> list[dict[str, Any]]:
    done = CliRunner().invoke(main, ["events", *map(str, arguments)])
    assert done.exit_code == 0, done.stderr
    return [json.loads(row) for row in done.stdout.splitlines()]


def test_it_is_searched_from_the_logs_upward(write: Write) -> None:
    here = write({"retrolog.toml": "", "logs/a/app.log": ROW, "logs/b/retrolog.toml": "", "logs/b/app.log": ROW})
    assert find([str(here / "logs")]) == here / "retrolog.toml"
    assert find([str(here / "logs/a/app.log")]) == here / "retrolog.toml"
    assert find([str(here / "logs/b/app.log")]) == here / "logs/b/retrolog.toml"
    assert find(["-", "s3://x", str(here / "none"), str(here / "logs/b")]) == here / "logs/b/retrolog.toml"
    assert find(["-"]) is None


def test_options_beat_the_file_and_the_file_beats_defaults(write: Write) -> None:
    here = write({"retrolog.toml": '[read]\ntz = "Europe/Berlin"\n[[source]]\nglob = "db/*"\ntz = "Asia/Tokyo"\n',
                  "logs/app.log": ROW, "logs/db/db.log": ROW})  # fmt: skip
    logs = here / "logs"
    times = {row["file"]: row["time"][11:16] for row in events(logs)}
    assert times == {"app.log": "09:40", "db/db.log": "01:40"}
    times = {row["file"]: row["time"][11:16] for row in events(logs, "--tz", "America/New_York")}
    assert times == {"app.log": "15:40", "db/db.log": "15:40"}
    (here / "retrolog.toml").unlink()
    assert {row["time"][11:16] for row in events(logs)} == {"10:40"}


def test_bounds_are_read_in_its_zone_and_the_report_says_where_zones_come_from(write: Write) -> None:
    here = write({"logs/retrolog.toml": '[read]\ntz = "Europe/Berlin"\n', "logs/app.log": ROW})
    assert len(events(here / "logs", "--from", "2026-11-23 10:40", "--to", "10:41")) == 1
    done = CliRunner().invoke(main, ["inspect", str(here / "logs"), "--format", "json"])
    reports = json.loads(done.stdout)
    assert [(r["file"], r["zone"]) for r in reports] == [("app.log", "retrolog.toml Europe/Berlin")]
    assert str(here / "logs" / "retrolog.toml") in done.stderr


def test_years_hosts_and_services_by_glob(write: Write) -> None:
    config = '[read]\nyear = 2020\n[[source]]\nglob = "old.log"\nyear = 2019\n[[source]]\nglob = "*.log"\nhost = "web-9"\nservice = "shop"\n'
    here = write({
        "r.toml": config,
        "l/old.log": "Nov 23 10:40:29 web-1 cron[3]: a\n",
        "l/old.log.1": "Nov 22 10:40:29 web-1 cron[3]: b\n",
        "l/new.log": "Nov 23 10:40:29 web-1 cron[3]: c\n",
        "l/app.log": ROW,
    })  # fmt: skip
    rows = events(here / "l", "--config", here / "r.toml")
    assert [(r["file"], r["time"][:4], r["host"], r["service"]) for r in rows] == [
        ("old.log.1", "2019", "web-1", "cron"),
        ("old.log", "2019", "web-1", "cron"),
        ("new.log", "2020", "web-1", "cron"),
        ("app.log", "2026", "web-9", "shop"),
    ]
    assert {r["time"][:4] for r in events(here / "l", "--config", here / "r.toml", "--year", "2018", "--include", "old*")} == {"2018"}


def test_own_formats_grok_files_and_what_is_left_out(write: Write) -> None:
    config = (
        '[read]\nexclude = ["*.sql"]\n[grok]\nfiles = ["patterns"]\n[grok.patterns]\nLEVEL = "[A-Z]+"\n'
        "[[format]]\nname = \"shop\"\ngrok = '%{LEVEL:level}~%{STAMP:time}~%{GREEDYDATA:message}'\n"
        "samples = ['BOOM~2026-11-23 10:40:29~x']\nseverity = { BOOM = 'alert' }\n"
    )
    here = write({"retrolog.toml": config, "patterns": "STAMP (?>\\d{4}-\\d\\d-\\d\\d %{TIME})\n", "l/dump.sql": ROW,
                  "l/app.log": "BOOM~2026-11-23 10:40:29~over\nWARN~2026-11-23 10:40:30~again\n"})  # fmt: skip
    rows = events(here / "l")
    assert [(r["file"], r["format"], r["severity"], r["message"]) for r in rows] == [
        ("app.log", "shop", "alert", "over"), ("app.log", "shop", "warning", "again"),
    ]  # fmt: skip


def test_settings_of_the_draft_and_of_clocks(write: Write) -> None:
    here = write({"retrolog.toml": '[[source]]\nglob = "db/*"\nclock_offset = -38\n[draft]\nslo = 99.9\nmax_entries = 7\nlexicon = "words.toml"\n'})
    settings = load(here / "retrolog.toml")
    assert (settings.setting("slo"), settings.setting("max_entries"), settings.setting("style", "x")) == (99.9, 7, "x")
    assert settings.setting("lexicon") == here / "words.toml"
    from retrolog.pipeline.options import Options

    options = settings.applied(Options(offsets=(("db/*", 1.0),)))
    assert options.offsets == (("db/*", -38.0), ("db/*", 1.0))  # the later one, the option, decides
    assert Config().applied(Options()) == Options()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[read]\ntimezone = 'x'", "[read] has the unknown key `timezone`; it knows tz, year, include, exclude"),
        ("[raed]\ntz = 'x'", "has the unknown key `raed`; did you mean `read`?"),
        ("[[source]]\nglob = 'x'\nhosts = 'y'", "did you mean `host`?"),
        ("[read]\ntz = 'Mars/Olympus'", "[read] has a `tz` that cannot be used: 'Mars/Olympus' is no time zone"),
        ("[read]\ntz = 5", "has a `tz` that is no text: 5"),
        ("[read]\nyear = true", "has a `year` that is no whole number: True"),
        ("[read]\nyear = 20", "has a `year` of 20; give one from 1970 to 9999"),
        ("[read]\ninclude = [1]", "`include` that is no list of texts"),
        ("read = 1", "has a `read` that is no table [read]: 1"),
        ("source = {}", "has a `source` that is no list of tables [[source]]"),
        ("source = [1]", "has a `source` that is no list of tables [[source]]"),
        ("[[source]]\nhost = 'x'", "[[source]] needs a `glob`"),
        ("[[format]]\nname = 'a b'", "[[format]] 'a b' needs a `name` of letters"),
        ("[[format]]\nname = 'a'\npattern = '(?<=x)(?P<a>.)'", "[[format]] 'a' cannot be used: it looks around"),
        ("[[format]]\nname = 'a'\npattern = '(?P<a>.)'\n[[format]]\nname = 'a'\npattern = '(?P<a>.)'", "declared twice"),
        ("[[format]]\nname = 'a'\npattern = 'x'\nseverity = { x = 1 }", "`severity` that is no table of texts"),
        ("[grok]\nfiles = 'none'\n[[format]]\nname = 'a'\npattern = '(?P<a>.)'", "cannot be read (No such file or directory)"),
        ("[grok]\nfiles = 'r.toml'\n[[format]]\nname = 'a'\npattern = '(?P<a>.)'", "is no file of grok patterns: line 1"),
        ("[draft]\nslo = 100", "has an `slo` of 100"),
        ("[draft]\nno_mask = 1", "has a `no_mask` that is no true or false: 1"),
        ("= 1", "is no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(write: Write, text: str, said: str) -> None:
    path = write({"r.toml": text + "\n"}) / "r.toml"
    with pytest.raises(BadOption, match=r".") as caught:
        load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["no_mask = true", "lexicon = 'x'", "changes = 'x'", "git = '.'", "style = './evil.j2'"])
def test_a_file_that_came_with_the_logs_cannot_unmask_or_reach_out(write: Write, key: str) -> None:
    here = write({"logs/retrolog.toml": f"[draft]\n{key}\n", "logs/app.log": ROW})
    done = CliRunner().invoke(main, ["events", str(here / "logs")])
    assert done.exit_code == 2
    assert "--config" in done.stderr
    assert load(here / "logs" / "retrolog.toml").draft


def test_a_file_that_came_with_the_logs_names_no_pattern_file_elsewhere(write: Write) -> None:
    here = write({"p": "A b\n", "logs/retrolog.toml": "[grok]\nfiles = '../p'\n[[format]]\nname = 'a'\ngrok = '%{A:x}'\n"})
    with pytest.raises(BadOption, match="outside its folder"):
        load(None, [str(here / "logs")])
    assert load(here / "logs" / "retrolog.toml").formats


def test_rules_fit_names_parts_and_places_below_the_configuration(tmp_path: Path) -> None:
    rules = read({"source": [{"glob": "db-1/pg.log", "host": "one"}, {"glob": "db-1", "service": "two"}, {"glob": "*", "host": "three"}]}, tmp_path / "retrolog.toml").rules
    path = str(tmp_path / "db-1" / "pg.log.2.gz")
    known = together(rules, LogFile("pg.log.2.gz", path))
    assert known is not None
    assert (known.host, known.service) == ("one", "two")
    other = together(rules, LogFile("app.log", "/elsewhere/app.log"))
    assert other is not None
    assert (other.host, other.service) == ("three", None)


def test_every_key_is_documented() -> None:
    text = DOC.read_text(encoding="utf-8")
    for table, keys in KEYS.items():
        if table:
            section = text.split(f"## {table}\n")[1].split("\n## ")[0]
            assert set(re.findall(r"(?m)^\| `(\w+)` \|", section)) >= set(keys)


def test_the_documented_example_is_read() -> None:
    import tomllib

    example = DOC.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    config = read(tomllib.loads(example), DOC)
    assert config.formats[0].name == "shop"
    assert config.rules[0].clock_offset == -38


JSONISH = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([k for ks in KEYS.values() for k in ks]), inner, max_size=4),
                       max_leaves=12)  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS[""]), JSONISH, max_size=5))
def test_any_table_is_read_or_refused(table: dict[str, Any]) -> None:
    with contextlib.suppress(BadOption):
        assert read(table, Path("retrolog.toml")).path is not None
