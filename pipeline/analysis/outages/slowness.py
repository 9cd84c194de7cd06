"""Requests that took far longer than is usual for their endpoint: of all traffic, and of one endpoint that drowns in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.summary import BUCKETS, PER_DOUBLING, Summary
from ...findings import Bound
from ..edge import edge_sources
from ..traffic import SECOND, Span, extent
from . import scan
from .spans import Segment

Ints = npt.NDArray[np.int64]

#: Below a second users are not failed; slow is so many times the usual.
SECONDS, TIMES = 1.0, 4
#: A span holds for half a minute, after half a minute that was not slow.
LASTS = 30
#: The share of requests that is slow: of all traffic, of one endpoint.
OF_ALL, OF_ONE = 0.2, 0.5
#: Requests that make a stretch of time whose usual duration can be told; stretches at most.
STRETCH, STRETCHES = 20, 60
#: Fewer than a stretch, but so many of one endpoint tell that it was never fast where three quarters of them were slow.
SELDOM = 5
#: Endpoints looked at by themselves, and told as slow.
ENDPOINTS, SHOWN = 20, 3


def slow(summary: Summary, sources: list[str], found: list[Span]) -> list[Span]:
    """Spans in which requests took far longer than the baseline, outside the ones where they failed.

    Slow is four times what is usual for the endpoint, and at least a second. What is usual is the third quartile of a stretch of
    time, of the calmer quarter of all stretches: an outage of half the window must not be its own baseline. The span must hold
    for half a minute, after half a minute that was not slow, with a fifth of all requests slow, or half of those of one endpoint.
    """
    table = summary.table("latency")
    table = table.filter(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())))
    span = extent(summary)
    if table.num_rows == 0 or span is None:
        return []
    bucket, count = table["bucket"].to_numpy(), table["count"].to_numpy()
    start, width = span[0], summary.width("latency")
    bins = (span[1] - start + width - 1) // width
    at = np.clip((table["second"].to_numpy() - start) // width, 0, bins - 1)
    calm = np.ones(bins, bool)
    for one in found:
        calm[max(0, (one.onset.time // SECOND - 60 - start) // width) : (one.end // SECOND + 60 - start) // width + 1] = False
    if count[calm[at]].sum() < 50:
        return []
    endpoints = table["endpoint"].combine_chunks().dictionary_encode()
    codes = endpoints.indices.to_numpy()
    limits = _limits(codes, at, bucket, count, calm[at])
    late = np.where(bucket > np.maximum(limits[codes], int(np.searchsorted(BUCKETS, SECONDS))), count, 0)

    def spans(rows: npt.NDArray[np.bool_], least: float, endpoint: str | None) -> list[Span]:
        failed, total = np.bincount(at[rows], late[rows], bins), np.bincount(at[rows], count[rows], bins)
        return [
            _span(part, start, width, endpoint) for part in scan.segments(failed, total) if _holds(part, total, width, least)
        ]  # fmt: skip

    out = spans(np.ones(len(at), bool), OF_ALL, None)
    by_endpoint = np.bincount(codes, late)
    for code in np.argsort(-by_endpoint, kind="stable")[:ENDPOINTS]:
        if by_endpoint[code] >= STRETCH:
            own = spans(codes == code, OF_ONE, endpoints.dictionary[int(code)].as_py())
            out += [one for one in own if not any(_meet(one, other) for other in out)]
    return [one for one in out if not any(_meet(one, other, 60) and not other.is_blip for other in found)]


@dataclass(frozen=True, slots=True)
class Slowed:
    """How slow one endpoint was in a span: slow requests of all, and the median duration in seconds before (None: not asked) and during."""

    endpoint: str
    slow: int
    requests: int
    before: float | None
    during: float


def slowed(summary: Summary, span: Span) -> list[Slowed]:
    """The endpoints of which half of the requests were slow in a span of latency, the one with most slow requests first."""
    if span.signal != "latency":
        return []
    sources = pa.array(edge_sources(summary), pa.string())
    table = summary.table("latency")
    table = table.filter(pc.is_in(table["source"], value_set=sources))
    second, bucket, count = (table[name].to_numpy() for name in ("second", "bucket", "count"))
    first, last = span.onset.time // SECOND, span.end // SECOND
    during, before = (second >= first) & (second <= last), second < first - 1
    endpoints = table["endpoint"].combine_chunks().dictionary_encode()
    codes = endpoints.indices.to_numpy()
    usual = codes[~during], second[~during], bucket[~during], count[~during]
    if usual[3].sum() < STRETCH:
        return []
    limits = np.full(int(codes.max()) + 1, np.iinfo(np.int64).max)
    limits[: int(usual[0].max()) + 1] = _limits(*usual, np.ones(len(usual[0]), bool))
    late = bucket > np.maximum(limits[codes], int(np.searchsorted(BUCKETS, SECONDS)))
    out = []
    for code in np.unique(codes[during]):
        own = during & (codes == code)
        slow, requests = int(count[own & late].sum()), int(count[own].sum())
        if slow and slow >= OF_ONE * requests:
            earlier = before & (codes == code)
            known = _quantile(bucket[earlier], count[earlier], 0.5) if earlier.any() else None
            out.append(Slowed(endpoints.dictionary[int(code)].as_py(), slow, requests, known, _quantile(bucket[own], count[own], 0.5)))
    return sorted(out, key=lambda one: (-one.slow, one.endpoint))[:SHOWN]


def _holds(part: Segment, total: npt.NDArray[np.number[Any]], width: int, least: float) -> bool:
    long, later = (part.stop_bin - part.start_bin) * width >= LASTS, part.start_bin * width >= LASTS
    return not part.is_blip and long and later and part.failed >= least * part.total and total[: part.start_bin].sum() >= STRETCH


def _span(part: Segment, start: int, width: int, endpoint: str | None) -> Span:
    first, last = (start + part.start_bin * width) * SECOND, (start + part.stop_bin * width - 1) * SECOND
    method = f"segment scan of requests slower than a second and than {TIMES} times what is usual for their endpoint"
    return Span(
        Bound(first, first, first + width * SECOND, method),
        None if part.open_end else Bound(last, last, last + width * SECOND, method),
        "latency", False, part.flaps, int(part.failed), int(part.total),
        dimension="endpoint" if endpoint is not None else None, value=endpoint, llr=part.llr, open_start=part.open_start,
    )  # fmt: skip


def _meet(one: Span, other: Span, apart: int = 0) -> bool:
    return one.onset.time <= other.end + apart * SECOND and other.onset.time <= one.end + apart * SECOND


def _limits(codes: Ints, at: Ints, bucket: Ints, count: Ints, calm: npt.NDArray[np.bool_]) -> Ints:
    """The bucket beyond which a request is slow, by endpoint; the usual one of all where an endpoint is seldom asked.

    A long poll or a report is slow from the beginning: that is its normal, also where it is too seldom asked to tell by stretches.
    """
    general = _limit(at[calm], bucket[calm], count[calm]) or 0
    limits = np.full(int(codes.max()) + 1, general)
    for code in np.unique(codes):
        own = calm & (codes == code)
        limit = _limit(at[own], bucket[own], count[own])
        if limit is None and count[own].sum() >= SELDOM and _at(bucket[own], count[own], 0.25) > general:
            meanwhile = calm & ~own & (at >= at[own].min()) & (at <= at[own].max())
            # where the others are slow too it is the outage that fills its few requests, not its own normal
            if count[meanwhile & (bucket > general)].sum() <= OF_ALL * count[meanwhile].sum():
                limit = int(bucket[own].max())
        limits[code] = general if limit is None else limit
    return limits


def _limit(at: Ints, bucket: Ints, count: Ints) -> int | None:
    """Four times the usual, as a bucket; None where there is too little to tell.

    The requests are cut in order of time into stretches of at least twenty; each gives its third quartile.
    """
    total = int(count.sum())
    if total < STRETCH:
        return None
    order = np.argsort(at, kind="stable")
    at, bucket, count = at[order], bucket[order], count[order]
    size = max(STRETCH, -(-total // STRETCHES))
    before = np.cumsum(count) - count
    opens = np.flatnonzero(np.r_[True, at[1:] != at[:-1]])  # a bin is never cut: its rows are in no order of time
    stretch = np.minimum(before[opens] // size, total // size - 1)
    label = np.repeat(stretch, np.diff(np.r_[opens, len(at)]))
    quartiles = [_quartile(bucket[label == one], count[label == one]) for one in np.unique(label)]
    return int(np.quantile(quartiles, 0.25, method="lower")) + int(np.log2(TIMES)) * PER_DOUBLING


def _quartile(bucket: Ints, count: Ints) -> int:
    return _at(bucket, count, 0.75)


def _at(bucket: Ints, count: Ints, share: float) -> int:
    usual = np.bincount(bucket, count)
    return int(np.searchsorted(np.cumsum(usual), share * usual.sum()))


def _quantile(bucket: Ints, count: Ints, share: float) -> float:
    """In seconds, the middle of a bucket on the log scale."""
    return float(BUCKETS[min(_at(bucket, count, share), len(BUCKETS) - 1)] / 2 ** (0.5 / PER_DOUBLING))
