"""The documents keep up with the program: commands, examples, dependencies and modules, and no link leads nowhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from retrolog.pipeline.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def commands(group: click.Group = main, words: str = "retrolog") -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it, groups included."""
    for name, command in group.commands.items():
        yield f"{words} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")


COMMANDS = list(commands())
each_command = pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[words for words, _ in COMMANDS])


def test_commands_are_found() -> None:
    assert {"retrolog draft", "retrolog render", "retrolog templates copy"} <= {words for words, _ in COMMANDS}


@each_command
def test_every_command_has_help_with_an_example(words: str, command: click.Command) -> None:
    assert command.help
    assert re.search(rf"(?m)^ *{words}\b", command.help), "an example that begins with the command"
    short = command.get_short_help_str(limit=200)
    assert len(short) <= 66, f"the list of commands would cut: {short}"


def test_help_has_a_short_option() -> None:
    assert "-h" in main.context_settings["help_option_names"]


@each_command
def test_every_option_has_help(words: str, command: click.Command) -> None:
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []


@each_command
def test_every_command_is_in_the_documents(words: str, command: click.Command) -> None:
    # a group's `list` is what the group does by itself
    called = words.removesuffix(" list")
    assert [page.name for page in PAGES if called in page.read_text(encoding="utf-8")]


def examples(page: Path) -> list[str]:
    """The shell commands that a page shows: fenced as `sh`, or as `console` behind prompts."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"(?ms)^```sh\n(.*?)^```$", text)
    for session in re.findall(r"(?ms)^```console\n(.*?)^```$", text):
        found.append("\n".join(re.findall(r"(?m)^\$ (.*)$", session)))
    return found


SHOWN = [page for page in PAGES if examples(page)]


def test_examples_are_found() -> None:
    assert {"README.md", "commands.md"} <= {page.name for page in SHOWN}


@pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="examples are written for a POSIX shell")
@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_every_example_runs(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    tools = tmp_path / "bin"
    tools.mkdir()
    command = tools / "retrolog"
    call = "import sys; sys.argv[0] = 'retrolog'; from retrolog.pipeline.cli import main; main()"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{call}" "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    script = "set -eu\n" + "\n".join(examples(page))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", [*PAGES, ARCHITECTURE], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"(?ms)^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"`[^`\n]*`", "", text))
    for target in targets:
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_pictures_are_light() -> None:
    pictures = list((ROOT / "docs").rglob("*.png"))
    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size > 200_000] == []


def requirements() -> list[str]:
    """The names of all distributions that users may get."""
    extras = PROJECT["optional-dependencies"]
    listed = [*PROJECT["dependencies"], *(one for extra in extras if extra not in ("dev", "all") for one in extras[extra])]
    return sorted({re.split(r"[\[<>=!~; ]", one)[0] for one in listed})


@pytest.mark.parametrize("name", requirements())
def test_every_dependency_has_a_reason(name: str) -> None:
    row = re.search(rf"(?m)^\| .*`{re.escape(name)}`.* \| (.+) \|$", ARCHITECTURE.read_text(encoding="utf-8"))
    assert row, f"ARCHITECTURE.md does not say what {name} is for"
    assert len(row[1]) > 20


ROOMS = ["parsers", "pipeline", *(f"pipeline/{path.parent.name}" for path in sorted((ROOT / "pipeline").glob("*/__init__.py")))]


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_is_in_the_picture(room: str) -> None:
    picture = ARCHITECTURE.read_text(encoding="utf-8")
    modules = [path.name for path in (ROOT / room).glob("*.py") if path.name != "__init__.py"]
    assert modules
    assert [name for name in sorted(modules) if not re.search(rf"(?<![\w/]){re.escape(name)}", picture)] == []


def test_the_picture_holds_no_other_module() -> None:
    named = re.findall(r"(?<![\w/])(\w+\.py)\b", ARCHITECTURE.read_text(encoding="utf-8"))
    there = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    assert sorted(set(named) - there) == []
