"""The simulator: the same seed gives the same bytes, and its truth is borne out by its logs."""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import simulate
    finally:
        sys.path.remove(str(BENCHMARKS))
    out = tmp_path_factory.mktemp("scenes")
    for number in (0, 3, 5, 6):
        for copy in ("once", "again"):
            scene = simulate.Scene.drawn(11, number, quiet=number == 6)
            scene.length = 480.0
            simulate.write(scene, out / copy / scene.name)
    return sorted((out / "once").iterdir())


def lines(folder: Path) -> list[str]:
    found: list[str] = []
    for path in sorted((folder / "logs").rglob("*")):
        if path.is_file():
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            found += data.decode().splitlines()
    return found


def test_same_seed_same_bytes(folders: list[Path]) -> None:
    assert len(folders) == 4
    for folder in folders:
        again = folder.parent.parent / "again" / folder.name
        files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        assert files
        assert all((folder / name).read_bytes() == (again / name).read_bytes() for name in files)


def test_truth_is_in_the_logs(folders: list[Path]) -> None:
    seen = 0
    for folder in folders:
        truth = json.loads((folder / "truth.json").read_text())
        text = lines(folder)
        assert truth["window"]["start"] < truth["window"]["end"]
        for outage in truth["outages"]:
            seen += 1
            assert truth["window"]["start"] <= outage["onset"] <= outage["recovery"]
            assert 0 < outage["impact"]["failed"] <= outage["impact"]["requests"]
            for part in ("trigger", "detected", "resolution"):
                assert any(re.search(outage[part]["log_match"], line) for line in text), part
        assert bool(truth["outages"]) == bool(truth["key_events"])
    assert seen == 3
