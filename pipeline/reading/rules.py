"""What a configuration knows of some logs beforehand: their zone, year, host, service and clock, by glob."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from .rotation import part_of
from .sources import LogFile, fits


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
