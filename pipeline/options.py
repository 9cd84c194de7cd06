"""What was asked for, as plain values: the command line and `retrolog.toml` fill them, every stage reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from .window import Window

if TYPE_CHECKING:
    from ..parsers.base import Format
    from .counting.engine import Engine
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
