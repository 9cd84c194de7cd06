"""What was asked for, as plain values: the command line and `retrolog.toml` fill them, every stage reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BadOption
from .window import Window, moment

if TYPE_CHECKING:
    from ..parsers.base import Format
    from .counting.jobs import Engine
    from .reading.rules import SourceRule


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for, as the command line or `retrolog.toml` said it."""

    window: Window = field(default_factory=Window)
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    zone_given: bool = False
    year: int | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_entries: int = 25
    slo: float | None = None
    lexicon: Path | None = None
    offsets: tuple[tuple[str, float], ...] = ()  # glob on the source's name, seconds its clock is ahead
    set_offsets: tuple[tuple[str, float, int], ...] = ()  # the same from a moment on, as stamped (microseconds): clocks that were set
    zone_from: str = "--tz"  # who stated the zone
    rules: tuple[SourceRule, ...] = ()  # what the configuration knows of some files
    formats: tuple[Format, ...] = ()  # formats that the configuration declares
    changes: tuple[Path, ...] = ()  # files of recorded changes
    git: tuple[Path, ...] = ()  # clones whose commits and tags count as changes
    engine: Engine | None = None  # where files are read; None: here and in local processes
    asked: Window | None = None  # the window of the question, where only a part of it is read
    verbose: bool = False


def clock_offsets(pairs: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """The pairs of GLOB=SECONDS that --clock-offset was given for all of a log; raises BadOption for what is none."""
    return tuple((glob, seconds) for glob, seconds, time in map(_clock_offset, pairs) if not time)


def set_offsets(pairs: tuple[str, ...], options: Options) -> tuple[tuple[str, float, int], ...]:
    """Those of GLOB=SECONDS@TIME: from which stamp on; a time of day is on the day of the window."""
    return tuple(
        (glob, seconds, moment(time, options.window, options.zone, "--clock-offset"))
        for glob, seconds, time in map(_clock_offset, pairs)
        if time
    )


def _clock_offset(pair: str) -> tuple[str, float, str]:
    glob, _, value = pair.rpartition("=")
    seconds, _, time = value.partition("@")
    try:
        return glob, float(seconds), time.strip()
    except ValueError:
        raise BadOption(f"--clock-offset {pair!r} is no GLOB=SECONDS; try db-1/*=-38, or db-1/*=0@10:31:07 for a clock that was set then") from None
