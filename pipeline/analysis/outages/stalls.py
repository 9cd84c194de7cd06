"""Writers that fall silent: a worker or a job that hangs says nothing, and where no access log tells of its users that is the signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ...findings import Bound, Evidence
from ..edge import edge_sources
from ..evidence import evidence
from ..traffic import SECOND, Span, extent
from .absence import witnessed
from .bounds import inside, touches

if TYPE_CHECKING:
    import pandas as pd

    from ...counting.summary import Summary
    from ...window import Window

#: Lines that must have been due in the silence, its least length in seconds, and how much longer than all but a few gaps it is.
DUE, LASTS, LONGER, OTHERS = 30, 20, 3, 3
#: A writer is steady when it has lines in this share of the stretches of so many seconds on either side.
STEADY, STRETCH, SIDE = 0.9, 10, 300
#: So much of it must be known before the silence and after.
BEFORE, AFTER = 30, 10
#: Longer logs are looked at in wider bins.
BINS = 20_000
#: How the ends were found, as the document says it.
METHOD = "the last line before the silence, the first after it"


def stalls(
    summary: Summary, signs: pd.DataFrame, window: Window, found: list[Span], look: Callable[[int, int], pa.Table]
) -> list[Span]:  # fmt: skip
    """Spans in which a steady writer wrote nothing while others went on and a watcher complained, apart from the spans found.

    A job may end and begin again as it should, so silence alone is no outage. Access logs are left to
    `retrolog.pipeline.analysis.outages.absence`. `look(first, last)` gives the events of a short time (microseconds, half-open).
    """
    whole = extent(summary)
    if whole is None:
        return []
    table = summary.table("seconds")
    width = max(summary.width("seconds"), -(-(whole[1] - whole[0]) // BINS))
    at = (table["second"].to_numpy() - whole[0]) // width
    codes = table["source"].combine_chunks().dictionary_encode()
    events = table["events"].to_numpy()
    everyone = np.bincount(at, events)
    edge = set(edge_sources(summary))
    spans: list[Span] = []
    for code, source in enumerate(codes.dictionary.to_pylist()):
        if source in edge:
            continue
        own = codes.indices.to_numpy() == code
        counts = np.bincount(at[own], events[own], len(everyone))
        silence = _silence(counts, everyone - counts, width)
        if silence is None:
            continue
        first, stop = ((whole[0] + place * width) * SECOND for place in silence[:2])
        span = _cut(source, first, stop, width, silence[2], look)
        near = span is None or any(span.onset.time <= s.end + 60 * SECOND and s.onset.time <= span.end + 60 * SECOND for s in found if not s.is_blip)
        if span is not None and not near and witnessed(signs, span, window):
            spans.append(span)
    spans.sort(key=lambda s: (-s.llr, s.onset.time, s.value or ""))
    kept: list[Span] = []
    for span in spans:  # of writers that fell silent together, the busiest tells of it
        if not any(span.onset.time <= other.end and other.onset.time <= span.end for other in kept):
            kept.append(span)
    return [inside(summary, s, window) for s in kept if touches(s, window)]


def _silence(counts: npt.NDArray[np.number[Any]], others: npt.NDArray[np.number[Any]], width: int) -> tuple[int, int, int] | None:
    """The longest gap of a steady writer, from its last bin before to its first after, and the lines that were due; None where there is none."""
    busy = np.flatnonzero(counts)
    if len(busy) < BEFORE // width + 2:
        return None
    gaps = np.diff(busy)
    longest = int(gaps.argmax())
    first, stop = int(busy[longest]), int(busy[longest + 1])
    usual = int(np.sort(gaps)[: -OTHERS - 1][-1]) if len(gaps) > OTHERS + 1 else 1
    length = (stop - first - 1) * width
    before, after = counts[max(0, first + 1 - SIDE // width) : first + 1], counts[stop : stop + SIDE // width]
    if length < LASTS or stop - first <= LONGER * usual or len(before) * width < BEFORE or len(after) * width < AFTER:
        return None
    size = max(1, STRETCH // width)
    stretches = [side[: len(side) // size * size].reshape(-1, size).sum(1) for side in (before[::-1], after)]
    if any(not len(side) or (side > 0).mean() < STEADY for side in stretches):
        return None
    due = round(min(float(np.median(side)) for side in stretches) / (size * width) * length)
    return (first, stop, due) if due >= DUE and np.count_nonzero(others[first + 1 : stop]) >= 2 else None


def _cut(source: str, first: int, stop: int, width: int, due: int, look: Callable[[int, int], pa.Table]) -> Span | None:
    """The span from the writer's last line to its first again, with both."""
    before, after = (_lines(look(at, at + width * SECOND), source) for at in (first, stop))
    if not before or not after:
        return None
    last, again = max(before, key=_place), min(after, key=_place)
    assert last.time is not None
    assert again.time is not None
    return Span(
        Bound(last.time, last.time, last.time + width * SECOND, METHOD), Bound(again.time, again.time - width * SECOND, again.time, METHOD),
        "silence", False, 0, 0, 0, dimension="log", value=source, llr=float(due), missing=(due, due), ends=(last, again),
    )  # fmt: skip


def _place(one: Evidence) -> tuple[int, str, int]:
    return (one.time or 0, one.file, one.line)


def _lines(table: pa.Table, source: str) -> list[Evidence]:
    rows = table.filter(pc.and_(pc.equal(table["source"], source), pc.is_valid(table["time"]))).to_pylist()
    return [evidence(r | {"time": r["time"] if isinstance(r["time"], int) else round(r["time"].timestamp() * SECOND)}) for r in rows]
