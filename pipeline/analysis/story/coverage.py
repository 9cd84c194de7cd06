"""Says which span logs cover where the window holds none of their events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...findings import SourceReport
    from ...wording import Clock


def uncovered(reports: Iterable[SourceReport], clock: Clock) -> str:
    """A clause that says that no event lies in the window and which span the logs do cover; empty when one does.

    The span is of times as written, from the first event of any log to the last one.
    """
    rows = list(reports)
    if any(row.fates.get("in_window") for row in rows):
        return ""
    times = [time for row in rows for time in (row.first, row.last) if time is not None]
    if not times:
        return "these logs hold no event with a time"
    span = f"{clock.stamp(min(times))} to {clock.stamp(max(times))}"
    return f"no event lies in the window; these logs cover {span} ({clock.label(min(times))})"
