"""When an outage let go of its users for a while: the stretches inside a span in which next to nothing failed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...findings import Bound
from ..edge import edge_sources
from ..traffic import SECOND, Span, Timeseries, failed_series, failures, series

if TYPE_CHECKING:
    from ...counting.summary import Summary

#: Failures that stop for fewer seconds are a lull.
LEAST = 10
#: So many failures must have been due in the meantime, at the share of the rest of the span, and have come before and after
#: it: else it is chance, or a beginning of single failures.
DUE = 10.0
#: As requests come to an end at this part of their usual rate, users are served again; else they hang, and fail later.
SERVED = 0.5
#: A single failure amid a pause does not end it: so much of what was due may come all the same.
STRAYS = 0.05
#: A burst within so many seconds, with more than so many to the rest and at most this share of it, is no part of an outage.
BURST, FAR, FORERUNNER = 3, 30, 0.1


def with_pauses(summary: Summary, spans: list[Span]) -> list[Span]:
    """The spans with their pauses, in order: pairs of the last failure before one and the first after it (microseconds).

    A burst of a second or two, with a long pause before the outage proper, is a blip of its own.
    """
    out: list[Span] = []
    for span in spans:
        if span.is_blip:
            out.append(span)
            continue
        *before, rest = _parted(summary, span)
        out += [*before, replace(rest, pauses=_pauses(summary, rest))]
    return out


def _parted(summary: Summary, span: Span) -> list[Span]:
    """The span; without its forerunner, which comes before it, if it has one."""
    total = _counted(summary, span)
    if total is None or span.signal != "failures":
        return [span]
    low, high = (max(0, (at // SECOND - total.start) // total.width) for at in (span.onset.time, span.end))
    failed, asked = total.failed[low : high + 1], total.requests[low : high + 1]
    busy = np.flatnonzero(failed)
    gaps = np.flatnonzero(np.diff(busy) * total.width > FAR)
    if not len(gaps):
        return [span]
    last, first = int(busy[gaps[0]]), int(busy[gaps[0] + 1])
    count = int(failed[: last + 1].sum())
    due = failed.sum() / max(1, asked.sum()) * asked[last + 1 : first].sum()
    if (last + 1) * total.width > BURST or count > FORERUNNER * failed.sum() or due < DUE:
        return [span]
    from_, to = (total.start + (low + at) * total.width for at in (last + 1, first))
    stopped, began = _cut(summary, edge_sources(summary), span, from_, to, total.width)
    blip = replace(
        span, recovery=Bound(stopped, stopped, stopped + total.width * SECOND, span.onset.method), is_blip=True, flaps=0, failed=count,
        requests=int(asked[: last + 1].sum()), last=None,
    )  # fmt: skip
    onset = Bound(began, began, began + total.width * SECOND, span.onset.method)
    return [blip, replace(span, onset=onset, flaps=max(0, span.flaps - 1), failed=span.failed - count, requests=int(asked[first:].sum()), open_start=False)]


def _counted(summary: Summary, span: Span) -> Timeseries | None:
    if span.signal == "errors":
        return series(summary, sorted(set(summary.table("seconds")["source"].to_pylist())), ("events", "errors"))
    if span.signal in ("failures", "refusals"):
        return failed_series(summary, edge_sources(summary), span.closed, span.refused)
    return None


def _pauses(summary: Summary, span: Span) -> tuple[tuple[int, int], ...]:
    sources = edge_sources(summary)
    total = _counted(summary, span)
    if total is None:
        return ()
    low, high = (max(0, (at // SECOND - total.start) // total.width) for at in (span.onset.time, span.end))
    failed = total.failed[low : high + 1].astype(np.float64)
    asked = np.ones(len(failed)) if span.signal == "errors" else total.requests[low : high + 1].astype(np.float64)
    usual = 0.0 if span.signal == "errors" else SERVED * float(np.median(total.requests))
    out = []
    for start, stop in _calm(failed, asked, max(1, LEAST // total.width)):
        if asked[start:stop].mean() < usual:
            continue
        first, last = total.start + (low + start) * total.width, total.start + (low + stop) * total.width
        out.append(_cut(summary, sources, span, first, last, total.width))
    return tuple(out)


def _calm(failed: npt.NDArray[np.float64], asked: npt.NDArray[np.float64], least: int) -> list[tuple[int, int]]:
    """The stretches of bins (half-open) in which far fewer failed than in the rest, none at either edge."""
    busy = np.flatnonzero(failed)
    if len(busy) < 2 or asked.sum() == 0:
        return []
    share = failed.sum() / asked.sum()
    gaps = [(a + 1, b) for a, b in pairwise(busy.tolist()) if b - a > 1]
    joined: list[tuple[int, int]] = []
    for start, stop in gaps:
        if joined:
            both = (joined[-1][0], stop)
            came, due = failed[slice(*both)].sum(), share * asked[slice(*both)].sum()
            between = start - joined[-1][1]
            if between <= 1 and came <= STRAYS * due:
                joined[-1] = both
                continue
        joined.append((start, stop))
    return [
        (a, b)
        for a, b in joined
        if b - a >= least and min(share * asked[a:b].sum(), failed[:a].sum(), failed[b:].sum()) >= DUE
    ]


def _cut(summary: Summary, sources: list[str], span: Span, first: int, last: int, width: int) -> tuple[int, int]:
    """The ends of a pause at single failures, where they are known."""
    ends = (first * SECOND, last * SECOND)
    if span.signal != "failures":
        return ends
    table = failures(summary, sources, span.closed)
    second = table["second"].to_numpy()
    before = table.filter(pa.array((second >= first - width) & (second < first)))["last_time"].to_pylist()
    after = table.filter(pa.array((second >= last) & (second < last + width)))["time"].to_pylist()
    return max(before, default=ends[0]), min(after, default=ends[1])
