"""Every declared format: it is found by itself, reads its own samples, and no other format takes them first."""

import re

import pytest

from retrolog.parsers.base import SEVERITIES, Format
from retrolog.parsers.blocks import parse_lines
from retrolog.parsers.detect import Detector, parse_with, registry
from retrolog.parsers.timestamps import TimeContext

REFERENCE = 1_795_564_800_000_000  # 2026-11-25 00:00:00 UTC
SAMPLES = [(form, sample) for form in registry() for sample in form.samples]
#: Rows of these never carry a wall-clock time of their own.
TIMELESS = {"kernel", "kernel_records", "gc", "clock", "clock_level", "journald", "uvicorn", "python_default", "dotnet", "journald_monotonic", "w3c", "zeek"}


def test_formats_are_found() -> None:
    names = [form.name for form in registry()]
    assert len(names) > 50
    assert len(names) == len(set(names))


@pytest.mark.parametrize("form", registry(), ids=lambda form: form.name)
def test_declaration_is_complete(form: Format) -> None:
    assert len(form.samples) >= 2
    assert form.title
    assert form.reference
    assert re.fullmatch(r"[a-z0-9_]+", form.name)
    assert (form.pattern is None) != (form.parse is None)


@pytest.mark.parametrize(("form", "sample"), SAMPLES, ids=[f"{f.name}-{i}" for i, (f, _) in enumerate(SAMPLES)])
def test_sample_is_read_by_its_format(form: Format, sample: str) -> None:
    first = sample.split("\n")[0]
    assert parse_with(form, first, TimeContext(reference=REFERENCE)) is not None
    found = Detector(TimeContext(reference=REFERENCE)).parse(first)
    assert found is not None
    assert found[0].name == form.name
    assert found[1].severity in (None, *SEVERITIES)


@pytest.mark.parametrize(("form", "sample"), SAMPLES, ids=[f"{f.name}-{i}" for i, (f, _) in enumerate(SAMPLES)])
def test_sample_is_one_event_with_a_time(form: Format, sample: str) -> None:
    events = list(parse_lines(sample.split("\n"), TimeContext(reference=REFERENCE)))
    assert len(events) == 1
    timeless = form.name in TIMELESS or "no clock" in sample or sample.startswith(("__CURSOR", "# User@Host"))
    assert (events[0].time is None) == timeless


def test_a_new_format_is_one_file(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from retrolog.parsers import formats

    (tmp_path / "cobol.py").write_text(
        "import re\nfrom retrolog.parsers.base import Format\n"
        "FORMATS = (Format(name='cobol', title='x', samples=('COBOL 2026-11-23T10:40:29Z hi',) * 2, reference='x',\n"
        "    pattern=re.compile(r'COBOL (?P<time>\\S+) (?P<message>.*)$')),)\n"
    )
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    registry.cache_clear()
    try:
        event = next(parse_lines(["COBOL 2026-11-23T10:40:29Z hi"]))
    finally:
        monkeypatch.undo()
        registry.cache_clear()
    assert (event.format, event.message) == ("cobol", "hi")
