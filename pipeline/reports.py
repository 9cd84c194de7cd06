"""What was read of a file, as the readers tell it: part of the findings, and all that `events` has to say beside the events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What was read of one physical file, and what was assumed to read it."""

    file: str
    source: str
    format: str
    container: str  # "plain", "gzip", "tar.gz/gzip" ...
    lines: int
    events: int
    unparsed: int
    fates: dict[str, int]  # in_window, outside, undated, continued, skipped: sums to `lines`
    first: int | None = None
    last: int | None = None
    zone: str = ""  # "in the line", "--tz Europe/Berlin", "assumed UTC" ...
    year: str = ""  # "" or "2026, from the window"
    day: str = ""  # of rows with a time of day alone: "" or "2026-11-23, as line 1 says"
    unit: str = ""  # of an access log that ends in whole numbers: what they were taken for, and why
    clock_offset_s: float = 0.0
    clock_note: str = ""
    clock_steps: tuple[tuple[int | None, int | None, float], ...] = ()  # line, else stamp, from which on the clock is so many seconds ahead
    jumps: tuple[tuple[int, int, int], ...] = ()  # line from which times are others, last time before and first after
    digest: str = ""
    skipped: str = ""  # why it was not read, or read only in part
    how: str = ""  # which part of it was read and how that was found, for --verbose
    notes: tuple[str, ...] = ()
