"""Times, durations and numbers read the same everywhere."""

from __future__ import annotations

import pytest

from retrolog.pipeline import wording
from retrolog.pipeline.wording import SECOND, Clock

from .example import at


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.85, "850 ms"), (1, "1 s"), (37.4, "37 s"), (59.6, "1 min"), (60, "1 min"), (127, "2 min 7 s"),
        (3599.7, "1 h"), (3600, "1 h"), (3840, "1 h 4 min"), (86399, "1 d"), (183600, "2 d 3 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration(round(seconds * SECOND)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 %"),
        (0.001, "under 0.01 %"),
        (0.04, "0.04 %"),
        (65.888, "65.9 %"),
        (99.97, "over 99.9 %"),
        (100, "100 %"),
    ],
)
def test_percentages_never_round_to_none_or_all(value: float, text: str) -> None:
    assert wording.percent(value) == text


@pytest.mark.parametrize(
    ("zone", "label", "time"),
    [
        ("Europe/Berlin", "Europe/Berlin, UTC+01:00", "12:00:00"),
        ("America/New_York", "America/New_York, UTC-05:00", "06:00:00"),
        ("UTC", "UTC", "11:00:00"),
        ("+05:30", "UTC+05:30", "16:30:00"),
        ("nonsense [x](y)", "UTC+00:00", "11:00:00"),
        ("../../etc/passwd", "UTC+00:00", "11:00:00"),
    ],
)
def test_zones(zone: str, label: str, time: str) -> None:
    clock = Clock(zone)
    assert (clock.label(at(0)), clock.time(at(0))) == (label, time)


def test_another_day_is_named() -> None:
    assert Clock("UTC", at(0), at(0)).time(at(86400)) == "2026-11-24 11:00:00"


@pytest.mark.parametrize(
    ("moment", "text"),
    [(0, "T12:00:00+01:00"), (0.5, "T12:00:00.500+01:00"), (0.000001, "T12:00:00.000001+01:00")],
)
def test_iso_times_are_as_precise_as_the_moment(moment: float, text: str) -> None:
    assert Clock("Europe/Berlin").iso(at(moment)) == f"2026-11-23{text}"


def test_brief_texts_end_at_a_word() -> None:
    assert wording.brief("one two three", 9) == "one two …"
    assert wording.brief("short", 9) == "short"
    assert wording.brief("x" * 30, 9) == "x" * 9 + " …"
