"""Which logs tell of users' requests, each request once: of a proxy and what stands behind it only one counts, of siblings all."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...parsers.arrays import values
from ..counting.requests import failing
from ..counting.summary import Summary
from .traffic import SECOND, extent

if TYPE_CHECKING:
    import numpy.typing as npt

    Times = npt.NDArray[np.int64]

#: A log that names so few clients names none: proxies, or nobody.
NOBODY = 3
#: Requests answered well that show a log to tell of them all, and not of trouble alone.
ANSWERED = 20
#: Two rows of one request are written at most so far apart (microseconds): whole seconds, begun or ended, and its duration.
TOGETHER = 2 * SECOND
#: Rows of one log that another may have too, of which fewer tell nothing.
ENOUGH = 30


def edge_sources(summary: Summary) -> list[str]:
    """The sources whose requests count as users' requests: access logs nearest to the user, each request once."""
    return list(_edge_sources(summary))


@lru_cache(maxsize=2)  # every step asks, and siblings are compared each with each
def _edge_sources(summary: Summary) -> tuple[str, ...]:
    """See `edge_sources`.

    A proxy and the application behind it may both log a request: the source that tells fewer clients apart, or has fewer
    requests, is left out. That it tells of the same requests is known by their ids, else by rows that are alike, else by its counts.

    A log of which half of the lines are requests is an access log. Where none has more requests, a log in which they stand among
    other lines counts too: the more trouble, the more other lines there are. Beside such a log only others of its kind count, which
    serve the same endpoints.
    """
    seconds = summary.table("seconds")
    if seconds.num_rows == 0:
        return ()
    totals = seconds.group_by("source").aggregate([("requests", "sum"), ("probes", "sum"), ("events", "sum")]).to_pylist()
    clients = summary.table("clients").group_by("source").aggregate([("client", "count_distinct")]).to_pylist()
    by_name = {r["source"]: r["client_count_distinct"] > NOBODY for r in clients}
    told = {t["source"]: (t["requests_sum"] + t["probes_sum"], t["events_sum"]) for t in totals if t["requests_sum"]}
    pure = {source for source, (requests, events) in told.items() if requests >= 0.5 * events}
    most = max((told[source][0] for source in pure), default=0)
    mixed = {source for source in _answering(summary, told.keys() - pure) if told[source][0] > most}
    named = sorted(
        pure | mixed,
        # who is told apart by address asked this server itself; behind it all come from one, or from nobody
        key=lambda source: (source in mixed, not by_name.get(source, False), -told[source][0], source),
    )
    kept: list[str] = []
    for source in named:
        if any(_again(summary, source, other) for other in kept):
            continue
        if source in mixed and not all(_serve_the_same(summary, source, other) for other in kept if other in mixed):
            continue
        kept.append(source)
    return tuple(kept)


def _answering(summary: Summary, sources: AbstractSet[str]) -> list[str]:
    """Those of the sources that tell of requests answered well, too: an error log tells of the others alone."""
    table = summary.table("requests")
    if not sources:
        return []
    well = pc.and_(pc.less(table["status"], 400), pc.greater_equal(table["status"], 100))
    table = table.filter(pc.and_(pc.is_in(table["source"], value_set=pa.array(sorted(sources), pa.string())), well))
    counted = table.group_by("source").aggregate([("count", "sum")]).to_pylist()
    return [row["source"] for row in counted if row["count_sum"] >= ANSWERED]


def _serve_the_same(summary: Summary, source: str, other: str) -> bool:
    """Whether most requests of a source are for endpoints of the other: one service on several hosts, no service behind it."""
    table = summary.table("requests")
    mine, others = (table.filter(pc.equal(table["source"], name)) for name in (source, other))
    shared = mine.filter(pc.is_in(mine["endpoint"], value_set=pc.unique(others["endpoint"])))
    return bool(shared["count"].to_numpy().sum() > 0.5 * mine["count"].to_numpy().sum())


def _again(summary: Summary, source: str, other: str) -> bool:
    """Whether a source logs again what another logged."""
    if _named_again(summary, source, other):
        return True
    alike = _alike_again(summary, source, other)
    return _echoes(summary, source, other) if alike is None else alike


def _named_again(summary: Summary, source: str, other: str) -> bool:
    """Whether the other named three in ten of a source's request ids, all as long before or after it.

    A client that asks again under the same id (a webhook, a queue's redelivery) may come to a sibling, but minutes later.
    """
    table = summary.table("request_ids")
    mine, others = (table.filter(pc.equal(table["source"], name)) for name in (source, other))
    if mine.num_rows == 0 or others.num_rows == 0:
        return False
    _, here, there = np.intersect1d(values(mine["request_id"]), values(others["request_id"]), return_indices=True)
    if len(here) <= 0.3 * mine.num_rows:
        return False
    apart = values(mine["time"])[here] - values(others["time"])[there]
    return bool((np.abs(apart - np.median(apart)) <= TOGETHER).sum() > 0.3 * mine.num_rows)


def _alike_again(summary: Summary, source: str, other: str) -> bool | None:
    """Whether the rows of a source stand in the other too; None where too few are alike in method, path, status and bytes.

    A row of a sibling has its like within `TOGETHER` as often as it has one some way off: by chance. Nearly every row of a server
    has one in its proxy's log; a third of a proxy's rows have one in the log of one of three servers.
    """
    table = summary.table("likes")
    mine, others = (table.filter(pc.equal(table["source"], name)) for name in (source, other))
    mine = mine.filter(pc.is_in(mine["key"], value_set=pc.unique(others["key"])))
    others = others.filter(pc.is_in(others["key"], value_set=pc.unique(mine["key"])))
    if mine.num_rows < ENOUGH:
        return None
    code = np.unique(np.concatenate([values(mine["key"]), values(others["key"])]), return_inverse=True)[1]
    time = np.concatenate([values(mine["time"]), values(others["time"])])
    time = time - time.min()
    # one line of numbers: kind by kind, and within a kind by time, so far apart that no kind reaches into the next
    place = code * (time.max() + 40 * TOGETHER) + time
    asked, known = place[: mine.num_rows], np.sort(place[mine.num_rows :])
    met = _met(known, asked)
    chance = float(np.mean([_met(known, asked + off * TOGETHER) for off in (-17, -11, -7, 7, 11, 17)]))
    beyond = (met - chance) / (1 - chance) if chance < 1 else 0.0
    unsure = np.sqrt(chance / len(asked) / (1 - chance)) if chance < 1 else 1.0
    if unsure > 0.08 or 0.15 <= beyond < 0.3:
        return _shared_out(code, time, mine["count"], others["count"])
    return bool(beyond >= 0.3)


def _shared_out(code: Times, time: Times, mine: pa.ChunkedArray, others: pa.ChunkedArray) -> bool | None:
    """Whether counts by kind and a few seconds say that one source tells again what the other told: they agree better than chance.

    For rows so frequent that each has its like. Of n requests that siblings share out, each gets a binomial number, also when a balancer
    deals them in turn, for which kind comes next is chance; a log and its echo have the same number. None where there are few.
    """
    count = np.concatenate([values(mine), values(others)]).astype(float)
    first = np.arange(len(code)) < len(mine)
    _, cell = np.unique(code * (int(time.max()) + 1) + time // (2 * TOGETHER), return_inverse=True)
    here, both = np.bincount(cell, count * first), np.bincount(cell, count)
    share = here.sum() / both.sum()
    if len(both) < ENOUGH or both.sum() < 2 * len(both):
        return None
    spread = ((here - share * both) ** 2).sum() / (share * (1 - share) * both.sum())
    return bool(spread < 0.7)  # 1 between siblings, (1 - s) / (1 + s) where one tells the share s of the other's


def _met(known: Times, asked: Times) -> float:
    """The share of the numbers asked for of which one that is known lies within `TOGETHER`."""
    return float((np.searchsorted(known, asked + TOGETHER, "right") > np.searchsorted(known, asked - TOGETHER)).mean())


def _echoes(summary: Summary, source: str, other: str) -> bool:
    """Whether a source logs again what another logged: their counts of single endpoints waver together.

    Two servers that share the traffic rise and fall together too, but which of them gets a request for this endpoint in
    these seconds is chance; a proxy and the server behind it see the same ones. Seconds with failures are left out: there
    the two tell different stories (one a time-out, the other a late success).
    """
    table = summary.table("requests")
    span = extent(summary)
    if span is None:
        return False
    step = max(3, summary.width("requests"))
    bins = (span[1] - span[0]) // step + 1
    rows = table.filter(pc.is_in(table["source"], value_set=pa.array([source, other])))
    failed = rows.filter(failing(rows["status"], closed=True))
    calm = np.ones(bins, bool)
    calm[(failed["second"].to_numpy() - span[0]) // step] = False
    mine = rows.filter(pc.equal(rows["source"], source)).group_by("endpoint").aggregate([("count", "sum")])
    likeness = []
    for row in mine.sort_by([("count_sum", "descending"), ("endpoint", "ascending")]).slice(0, 5).to_pylist():
        same = rows.filter(pc.equal(rows["endpoint"], row["endpoint"]))
        counts = []
        for name in (source, other):
            part = same.filter(pc.equal(same["source"], name))
            counts.append(np.bincount((part["second"].to_numpy() - span[0]) // step, part["count"].to_numpy(), bins))
        if min(c[calm].sum() for c in counts) >= 20:
            likeness.append(_waver_together(counts[0], counts[1], calm))
    return bool(likeness) and float(np.median(likeness)) > 0.5


def _waver_together(one: np.ndarray, two: np.ndarray, where: np.ndarray) -> float:
    """The correlation of two series' deviations from their running means, on the bins given."""
    window = np.ones(21) / 21
    parts = [(c - np.convolve(c, window, "same"))[where] for c in (one, two)]
    spread = float(parts[0].std() * parts[1].std())
    return float(((parts[0] - parts[0].mean()) * (parts[1] - parts[1].mean())).mean() / spread) if spread else 0.0


