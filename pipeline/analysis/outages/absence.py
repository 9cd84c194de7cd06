"""Outages that leave no line: requests that stopped altogether, or fell to a part of what they were, and came back."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ...findings import Bound
from ..clues.behaviour import by_behaviour
from ..clues.signs import within
from ..edge import edge_sources
from ..traffic import SECOND, Span, Timeseries, extent, series
from . import scan
from .bounds import inside, touches

if TYPE_CHECKING:
    import pandas as pd

    from ...counting.summary import Summary
    from ...window import Window

Counts = npt.NDArray[np.float64]

#: Where all is silent so many requests must have been due, and the gap this much longer than all but a few.
DUE, LONGER, OUTAGES, BLOCK, BY_CHANCE = 30, 3, 3, 15, 1e-4
#: So many seconds of requests must be known before the gap and after it: a log that begins with one visit has no rate yet.
KNOWN = (30, 10)
#: A drop must take this share of the requests away, for so many seconds, and so many requests in all.
TAKEN, LASTS, MISSING = 0.4, 20, 60
#: Within this time after the end of a drop a watcher must have complained of it.
WITNESS = 60 * SECOND
#: Where none did, it must take this share away, in one step and back in one: within so many seconds most of it.
TAKEN_ALONE, STEP, MOST = 0.5, 10, 0.7
#: And come back to the rate that it had, within these factors.
AGAIN = (0.75, 4 / 3)
#: One customer who stops asking is no outage: without the busiest clients as much must be missing.
BUSIEST = 3
#: What is read before the onset, after it and around the end to learn what fell silent, and how little of it may be left.
LOOK, LEFT, ENOUGH = 20 * SECOND, 0.05, 20
#: The others must go on at this part of their rate, and a name is one of at most so many.
OTHERS, NAMES = 0.6, 30


def silent(summary: Summary, sources: list[str]) -> list[Span]:
    """Spans in which requests stopped altogether while other logs went on.

    An access log whose server is down says nothing, so the gap is the signal. So many requests must have been due that chance leaves no such gap,
    and other sources must have written before, in and after the gap: else the logs end there, not the traffic.
    """
    total = series(summary, sources)
    if total is None or total.requests.sum() < 60:
        return []
    width = summary.width("seconds")
    table = summary.table("seconds")
    others = table.filter(pc.invert(pc.is_in(table["source"], value_set=pa.array(sources, pa.string()))))
    alive = np.sort(others["second"].to_numpy())
    spans = []
    busy = np.flatnonzero(total.requests)
    # requests that come in bursts leave gaps all the time: a few of these may be outages too, the others are what is usual
    usual = np.sort(np.diff(busy))[: -OUTAGES - 1]
    longest = int(usual[-1]) * _times_longer(len(busy) - 1) if len(usual) else 0.0
    for a, b in pairwise(busy.tolist()):
        gap = (b - a - 1) * width
        if gap < 10 or a * width < KNOWN[0] or (len(total.requests) - b) * width < KNOWN[1]:
            continue
        rate = min(_usual(total.requests[max(0, a - 300 // width) : a + 1]), _usual(total.requests[b : b + 300 // width])) / width
        first, last = total.start + a * width, total.start + b * width
        inside = np.searchsorted(alive, last) - np.searchsorted(alive, first + 1)
        if rate * gap >= DUE and inside >= 2 and gap > longest * width:
            spans.append(_missing(first, last, width, round(rate * gap), round(rate * gap), 0.0, "requests stopped and came back"))
    return spans


def _times_longer(gaps: int) -> float:
    """How many times as long as the longest usual gap one must be, for chance to leave one such in so many with `BY_CHANCE`.

    Gaps between independent bursts are exponential: of n the k-th longest is about ln(n / k) means long, and one in 1 / p such samples
    holds one of ln(n / p) means (David and Nagaraja, Order Statistics, 2003, chapter 2). Few gaps say little of the longest.
    """
    return max(LONGER, float(np.log(gaps / BY_CHANCE) / np.log(gaps / (OUTAGES + 1))))


def _usual(counts: Counts) -> float:
    """The requests a bin of the middle one of some stretches: one client's minute of many requests is not what is usual."""
    size = min(BLOCK, len(counts))
    blocks = counts[: len(counts) // size * size].reshape(-1, size).sum(1) if size else np.zeros(1)
    return float(np.median(blocks)) / max(1, size)


def drops(
    summary: Summary, signs: pd.DataFrame, window: Window, found: list[Span], look: Callable[[int, int], pa.Table]
) -> list[Span]:  # fmt: skip
    """Spans in which a part of the requests was missing, apart from the spans found.

    Traffic may fall for many reasons that are no fault, so the counts alone are not enough: a watcher complained meanwhile, or
    what many clients asked for by one frontend, host or network went and came back from one second to the next while the
    rest went on. `look(first, last)` gives the events of a short time (microseconds, half-open).
    """
    sources = edge_sources(summary)
    total = series(summary, sources) if sources else None
    if total is None or total.requests.sum() < 200:
        return []
    width = summary.width("seconds")
    spans = []
    for part in _steps(total):
        span = part[0]
        near = any(span.onset.time <= s.end + 60 * SECOND and s.onset.time <= span.end + 60 * SECOND for s in found if not s.is_blip)
        if near or part[1] * width < LASTS:
            continue
        alone = span.failed >= TAKEN_ALONE * span.requests and _abrupt(total, span) and _of_many(summary, sources, span)
        seen = witnessed(signs, span, window)
        if alone or seen:
            span = _with_silent_part(summary, span, look)
            if seen or span.dimension is not None or span.failed >= (1 - LEFT) * span.requests:
                spans.append(span)
    return [inside(summary, s, window) for s in spans if touches(s, window)]


def _steps(total: Timeseries) -> list[tuple[Span, int]]:
    """The stretches in which requests fell, each with its bins, cut where the count steps."""
    counts, width = total.requests.astype(np.float64), total.width
    out = []
    for part in scan.silences(counts):
        first, stop = part.start_bin, part.stop_bin
        before, after = counts[max(0, first - 300 // width) : first], counts[stop : stop + 300 // width]
        if len(before) * width < KNOWN[0] or len(after) * width < KNOWN[1]:
            continue
        usual = float(np.concatenate([before, after]).mean())
        due, came = usual * (stop - first), float(counts[first:stop].sum())
        least = min(_usual(before), _usual(after)) * (stop - first)  # one client's scan on one side is no rate to fall from
        if due - came >= max(MISSING, TAKEN * due) and came <= (1 - TAKEN) * least:
            span = _missing(
                total.start + first * width, total.start + stop * width, width, round(due), round(due - came), part.llr,
                "scan for missing requests",
            )  # fmt: skip
            spread = max(part.dispersion, 1.0) * due * (1 + (stop - first) / (len(before) + len(after)))
            off = round(1.96 * spread**0.5)
            out.append((replace(span, missing=(max(0, span.failed - off), span.failed + off)), stop - first))
    return out


def _abrupt(total: Timeseries, span: Span) -> bool:
    """Whether most of the drop lies within a few seconds at either end, and as many came after as before: people leave one by one."""
    counts = total.requests.astype(np.float64)
    size = max(1, STEP // total.width)
    first, stop = ((at // SECOND - total.start) // total.width for at in (span.onset.time, span.end))
    inside, outside = counts[first + 1 : stop - 1].mean(), counts[max(0, first - 60) : first].mean()
    fallen = counts[max(0, first - size) : first].mean() - counts[first + 1 : first + 1 + size].mean()
    risen = counts[stop : stop + size].mean() - counts[max(first, stop - 1 - size) : stop - 1].mean()
    again = counts[stop : stop + 60].mean() / max(outside, 1e-9)
    return bool(min(fallen, risen) >= MOST * (outside - inside) and AGAIN[0] <= again <= AGAIN[1])


def _of_many(summary: Summary, sources: list[str], span: Span) -> bool:
    """Whether many clients are missing; where a log names hardly any client (all come by one proxy) nobody can tell."""
    table = summary.table("clients")
    table = table.filter(pc.is_in(table["source"], value_set=pa.array(sources, pa.string())))
    whole = extent(summary)
    totals = table.group_by("client").aggregate([("count", "sum")]).sort_by([("count_sum", "descending"), ("client", "ascending")])
    if totals.num_rows <= BUSIEST or whole is None:
        return True
    rest = table.filter(pc.invert(pc.is_in(table["client"], value_set=totals["client"].slice(0, BUSIEST).combine_chunks())))
    width = summary.width("clients")
    bins = (whole[1] - whole[0] + width - 1) // width
    counts = np.bincount((rest["second"].to_numpy() - whole[0]) // width, rest["count"].to_numpy(), bins)
    first, stop = ((at // SECOND - whole[0]) // width for at in (span.onset.time, span.end))
    around = np.concatenate([counts[max(0, first - 60) : first], counts[stop + 1 : stop + 61]])
    return bool(len(around) and stop > first + 1 and counts[first + 1 : stop].mean() <= (1 - TAKEN) * around.mean())


def _missing(first: int, last: int, width: int, due: int, missing: int, llr: float, method: str) -> Span:
    return Span(
        Bound(first * SECOND, first * SECOND, (first + width) * SECOND, method),
        Bound(last * SECOND, (last - width) * SECOND, last * SECOND, method),
        "silence", False, 0, missing, due, llr=llr,
    )  # fmt: skip


def witnessed(signs: pd.DataFrame, span: Span, window: Window) -> bool:
    """Whether something that watches complained between the onset and shortly after the end."""
    heard = within(by_behaviour(signs, [span]), window)
    time = heard["time"].astype("int64")
    return bool(((heard["role"] == "detection") & (time >= span.onset.time) & (time <= span.end + WITNESS)).any())


def _with_silent_part(summary: Summary, span: Span, look: Callable[[int, int], pa.Table]) -> Span:
    """The span with the frontend, host or other named part of the traffic that fell silent, if the rest went on, and cut at its requests."""
    sources = set(edge_sources(summary))
    width = SECOND * summary.width("seconds")
    before = _named(look(span.onset.time - LOOK, span.onset.time + width), sources)
    inside = _named(look(span.onset.time + 2 * width, min(span.end - 2 * width, span.onset.time + 2 * width + LOOK)), sources)
    ended = _named(look(span.end - 5 * SECOND, span.end + 5 * SECOND), sources)
    length = LOOK / max(1, min(LOOK, span.end - span.onset.time - 4 * width))
    then, now = (Counter(name for _, names in rows for name in names) for rows in (before, inside))
    keys = Counter(key for key, _ in then)
    silent = [
        name for name, count in then.items()
        if count >= ENOUGH and keys[name[0]] <= NAMES and now[name] * length <= LEFT * count
        and (len(inside) - now[name]) * length >= OTHERS * (len(before) - count) and len(before) - count >= ENOUGH / 4
    ]  # fmt: skip
    if not silent:
        return span
    key, value = max(silent, key=lambda name: (then[name], name))
    onset = max(at for at, names in before if (key, value) in names)
    back = [at for at, names in ended if (key, value) in names]
    span = replace(span, dimension=key, value=value, onset=Bound(onset, onset, onset + width, span.onset.method))
    if back and span.recovery:
        span = replace(span, recovery=Bound(min(back), min(back) - width, min(back), span.recovery.method))
    return span


#: The first half of an IPv4 address, and as much of an IPv6 address as one site has.
_NET = re.compile(r"\d+\.\d+\.|(?:[0-9a-fA-F]+:){3}")


def _named(table: pa.Table, sources: set[str]) -> list[tuple[int, set[tuple[str, str]]]]:
    """The time of each request, and the names of what it came through: (field, value)."""
    out = []
    for row in table.to_pylist():
        if row["source"] not in sources or not row["path"] or row["status"] is None:
            continue
        fields: dict[str, Any] = json.loads(row["fields"]) if row["fields"] else {}
        told = {k: v for k, v in fields.items() if isinstance(v, str) and v and len(v) <= 60} | {k: row[k] for k in ("host", "upstream", "method") if row[k]}
        time = row["time"] if isinstance(row["time"], int) else round(row["time"].timestamp() * SECOND)
        net = _NET.match(row["client"] or "")
        told["log"] = row["source"]
        out.append((time, {(k, str(v)) for k, v in told.items()} | ({("network", net[0] + "\u2026")} if net else set())))
    return out
