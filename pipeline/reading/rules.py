"""How logs are read: in which window, zone and year, and what a configuration knows of some of them, by glob."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from ..window import Window
from .logfile import LogFile, fits
from .rotation import part_of

if TYPE_CHECKING:
    from ...parsers.base import Format


@dataclass(frozen=True, slots=True)
class SourceRule:
    """What is known of the logs that a glob fits; None leaves it as it is.

    `host` and `service` are for events whose lines name none. `clock_offset` is seconds that their clock is ahead,
    `clock_set` the same from stamps on, as texts of SECONDS@TIME.
    """

    glob: str
    zone: tzinfo | None = None
    zone_name: str = ""
    year: int | None = None
    host: str | None = None
    service: str | None = None
    clock_offset: float | None = None
    clock_set: tuple[str, ...] = ()
    path: Path = Path("retrolog.toml")  # the configuration

    def fits(self, file: LogFile) -> bool:
        """Whether the glob fits a file by its name, the name of the log it is a part of, or its place below the configuration.

        Like --include, a glob without a slash also fits the last part, and one that fits a folder fits all in it.
        """
        names = [file.file, part_of(file.file).stem]
        place, folder = os.path.realpath(file.path), os.path.realpath(self.path.parent)
        if file.path != "-" and place.startswith(folder.rstrip(os.sep) + os.sep):
            below = os.path.relpath(place, folder).replace(os.sep, "/")
            names += [below, part_of(below).stem]
        return any(fits(name, [self.glob]) for name in names)


def together(rules: Sequence[SourceRule], file: LogFile) -> SourceRule | None:
    """What the rules that fit a file say of it: of each value the first one; None where no rule fits."""
    found = [rule for rule in rules if rule.fits(file)]
    if not found:
        return None
    whole = found[0]
    for rule in found[1:]:
        if whole.zone is None:
            whole = replace(whole, zone=rule.zone, zone_name=rule.zone_name)
        whole = replace(
            whole,
            year=rule.year if whole.year is None else whole.year,
            host=rule.host if whole.host is None else whole.host,
            service=rule.service if whole.service is None else whole.service,
        )
    return whole


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: the window events are wanted in, the zone and year of stamps that name none.

    `wanted` is the span that tables are cut to (the window and a baseline around it; a window without ends wants all).
    `zone_given` tells a stated zone from the default, which is UTC, and `zone_from` who stated it. `count` says whether lines
    that need not be read are counted all the same, where that is cheap. `rules` are what a configuration knows of some
    files, `formats` those that it declares.
    """

    window: Window = field(default_factory=Window)
    wanted: Window = field(default_factory=Window)
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    zone_given: bool = False
    year: int | None = None
    undated: bool = False  # keep events without a time (only when no window is asked for)
    count: bool = True
    zone_from: str = "--tz"
    rules: tuple[SourceRule, ...] = ()
    formats: tuple[Format, ...] = ()
    asked: Window | None = None  # the window of the user's question, where this reads a part of it

    def rule(self, file: LogFile) -> SourceRule | None:
        """What the rules that fit a file say of it together: of each value the first one, None where no rule fits."""
        return together(self.rules, file) if self.rules else None

    def for_file(self, file: LogFile) -> Reading:
        """How this file is read: with the zone and year that the rules give it."""
        rule = self.rule(file)
        if rule is None:
            return self
        reading = self if rule.year is None else replace(self, year=rule.year)
        if rule.zone is None:
            return reading
        return replace(reading, zone=rule.zone, zone_name=rule.zone_name, zone_given=True, zone_from=rule.path.name)
