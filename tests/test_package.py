"""What is installed: every folder of code, every file it needs, every library it imports, and each extra in `all`."""

from __future__ import annotations

import ast
import fnmatch
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ("parsers", "pipeline", "templates")
EXTRAS = PROJECT["project"]["optional-dependencies"]
#: Extras for those who work on retrolog, which no user needs.
OURS = {"dev", "all"}


def folders() -> list[Path]:
    """Folders that hold anything to install."""
    found = {path.parent for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    return sorted(found)


def package(folder: Path) -> str:
    return ".".join(["retrolog", *folder.relative_to(ROOT).parts])


def name_of(requirement: str) -> str:
    """The distribution that a requirement names, as `packages_distributions` spells it."""
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return found[0].lower().replace("_", "-")


def test_every_folder_of_code_is_installed() -> None:
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert {package(folder) for folder in folders() if (folder / "__init__.py").exists()} | {"retrolog"} == set(listed)


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_every_file_beside_code_is_installed(folder: Path) -> None:
    globs = PROJECT["tool"]["setuptools"]["package-data"]
    owner = folder
    while not (owner / "__init__.py").exists():
        owner = owner.parent
    patterns = globs.get(package(owner), [])
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            name = path.relative_to(owner).as_posix()
            fits = [p for p in patterns if fnmatch.fnmatch(name, p) and p.count("/") == name.count("/")]
            assert fits, f"{name} is in no package-data of {package(owner)}"


def imported() -> dict[str, str]:
    """Top-level modules that the code imports from elsewhere, each with a file that does."""
    found: dict[str, str] = {}
    for path in [*ROOT.glob("*.py"), *(file for name in FOLDERS for file in (ROOT / name).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                found.setdefault(name.split(".")[0], path.relative_to(ROOT).as_posix())
    return {name: where for name, where in found.items() if name not in sys.stdlib_module_names}


def test_every_import_is_declared() -> None:
    declared = {name_of(one) for one in PROJECT["project"]["dependencies"]}
    declared |= {name_of(one) for extra, needs in EXTRAS.items() if extra not in OURS for one in needs}
    known = packages_distributions()
    for module, where in imported().items():
        distributions = {name.lower().replace("_", "-") for name in known.get(module, [module])}
        assert distributions & declared, f"{where} imports {module}, which pyproject.toml does not declare"


def test_all_holds_every_extra() -> None:
    named = re.fullmatch(r"retrolog\[(.*)\]", EXTRAS["all"][0])
    assert named
    assert named[1].split(",") == sorted(set(EXTRAS) - OURS)


def test_the_version_is_told_once() -> None:
    from retrolog import __version__

    assert PROJECT["project"]["version"] == __version__


#: The rooms of the pipeline in the order of the data.
STAGES = ["reading", "counting", "analysis", "drafting", "finishing"]
#: The rooms of the analysis, which `analyse` goes through.
ANALYSIS = ["clocks", "clues", "outages", "impact", "causes", "story"]
#: Modules beside the rooms that join them; the others are words that all share.
JOINING = {"cli", "investigate", "config"}


def rooms_behind(room: str) -> dict[str, set[str]]:
    """What each module of a room imports from outside of it, in the room that this one stands in; also for its types."""
    beside, _, _ = room.rpartition(".")
    found: dict[str, set[str]] = {}
    for module, others in neighbouring().items():
        if module.startswith(f"{room}."):
            outside = [one for one in others if one.startswith(f"{beside}.") and not one.startswith(f"{room}.")]
            found[module] = {one.removeprefix(f"{beside}.").split(".")[0] for one in outside}
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_a_room_imports_only_what_comes_before_it(stage: str) -> None:
    later = {*STAGES[STAGES.index(stage) + 1 :], "review", "commands", *JOINING}
    modules = rooms_behind(f"pipeline.{stage}")
    assert len(modules) > 1
    for module, others in modules.items():
        assert not others & later, module


@pytest.mark.parametrize("room", ANALYSIS)
def test_a_room_of_the_analysis_imports_only_what_comes_before_it(room: str) -> None:
    later = {*ANALYSIS[ANALYSIS.index(room) + 1 :], "analyse"}
    modules = rooms_behind(f"pipeline.analysis.{room}")
    assert len(modules) > 1
    for module, others in modules.items():
        assert not others & later, module


def test_parsers_know_nothing_of_the_pipeline() -> None:
    modules = list((ROOT / "parsers").rglob("*.py"))
    assert modules
    for module in modules:
        assert not re.search(r"(?m)^\s*(from|import) .*\bpipeline\b", module.read_text(encoding="utf-8")), module.name


def neighbouring() -> dict[str, set[str]]:
    """What each module of ours imports of the others, also for its types and within functions."""
    modules = {path: path.relative_to(ROOT).with_suffix("").parts for name in FOLDERS for path in (ROOT / name).rglob("*.py")}
    known = {".".join(parts) for parts in modules.values()}
    found: dict[str, set[str]] = {}
    for path, parts in modules.items():
        named = found[".".join(parts)] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                place = [*parts[: -node.level], *(node.module.split(".") if node.module else [])]
                named |= {".".join(place)} & known or {".".join([*place, one.name]) for one in node.names} & known
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = neighbouring()
    assert "pipeline.reading.rules" in left["pipeline.reading.ingest"]
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    assert not left
