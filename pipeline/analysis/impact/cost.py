"""What an outage cost: requests and failures from onset to recovery, by endpoint, in latency and in clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.endpoints import grouped
from ...counting.summary import BUCKETS, PER_DOUBLING, Summary
from ...findings import EndpointImpact, Impact, Latency
from ...wording import number, percent
from ..edge import edge_sources
from ..outages.outcomes import outcomes
from ..traffic import SECOND, Span, between, failed_series
from .outside import Outside, without

if TYPE_CHECKING:
    from ...window import Window

#: Days over which an error budget is counted (the window of the example in the SRE workbook, "Implementing SLOs").
BUDGET_DAYS = 30
#: The row of all endpoints that nobody but bots asked for.
BOTS = "(asked by bots alone)"
#: So many different words in one place of a path are names.
NAMES = 20


def impact(summary: Summary, span: Span, window: Window, slo: float | None = None, beyond: Outside | None = None) -> Impact:
    """The figures of one outage, each with its formula.

    Requests are those whose response ended from the second of the onset to the second of the recovery, less those of the two
    seconds that are known to lie `beyond` the first and the last failure; health checks are left out, bots are in (a bot is
    answered like anyone) but not among the clients. Before an unfinished recovery
    the last second seen stands in. `slo` is a percentage of successful requests, such as 99.9.
    """
    sources = edge_sources(summary)
    summary = without(summary, beyond)
    first, last = span.onset.time // SECOND, span.end // SECOND
    if span.ends is not None:
        return Impact(requests=0, failed=0, failed_percent=0.0, slo=slo)  # a log that fell silent counts nothing
    if span.signal == "errors":
        return _of_lines(summary, span, slo)
    requests = between(summary, "requests", sources, span.onset.time, span.end)
    served = requests.filter(pc.invert(requests["probe"]))
    total = failed_series(summary, sources, span.closed, span.refused)
    assert total is not None
    width = summary.width("seconds")
    lo, hi = max(0, (first - total.start) // width), (last - total.start) // width + 1
    count, failed = int(total.requests[lo:hi].sum()), int(total.failed[lo:hi].sum())
    if span.signal == "silence":
        # nothing was logged, so nothing is known of endpoints and clients either
        served = served.slice(0, 0)
        count, failed = max(count, span.requests), max(failed, span.failed)
    outside = np.ones(len(total.requests), bool)
    outside[lo:hi] = False
    calm = int(total.requests[outside].sum())
    clients, affected, sampled = _clients(summary, sources, first, last, span.closed) if span.signal != "silence" else (None, None, False)
    if span.refused:
        affected = None  # who was turned away is not counted a client
    peak, peak_time = _peak(total.failed[lo:hi], (total.start // width * width) + lo * width, width)
    before = _latency(summary, sources, first - 900, first - 1)
    during = _latency(summary, sources, first, last)
    share = 100 * failed / count if count else 0.0
    formulas = [
        ("requests", _asked(span, width, count, beyond)),
        ("failed", _counted(span)),
        ("failed_percent", "100 x failed / requests" + _range(count, failed, beyond)),
    ]
    spent = None
    if slo is not None and calm:
        # the traffic of 30 days is not in these logs: the calm rate stands in for it
        rate = calm / max(1.0, outside.sum() * width)
        allowed = rate * BUDGET_DAYS * 86400 * (1 - slo / 100)
        spent = 100 * failed / allowed if allowed else None
        formulas.append(
            ("budget_spent_percent", f"100 x failed / (calm rate x {BUDGET_DAYS} days x (1 - {slo:g} %)); the rate outside the outage is {rate:.2f}/s")
        )
    return Impact(
        requests=count,
        failed=failed,
        failed_percent=round(share, 2),
        endpoints=_endpoints(served, span),
        statuses=_statuses(served, span),
        peak_rate=peak,
        peak_time=peak_time,
        latency_before=before,
        latency_during=during,
        clients=clients,
        clients_affected=affected,
        clients_estimated=sampled,
        health_checks=int(pc.sum(requests.filter(requests["probe"])["count"]).as_py() or 0),
        bots=int(pc.sum(served.filter(served["bot"])["count"]).as_py() or 0),
        baseline_failed_percent=round(100 * int(total.failed[outside].sum()) / calm, 3) if calm else None,
        budget_spent_percent=None if spent is None else round(spent, 2),
        slo=slo,
        formulas=tuple(formulas),
    )


def _of_lines(summary: Summary, span: Span, slo: float | None) -> Impact:
    """What application logs tell of the share that failed; nothing where no two kinds of line stand for done and failed."""
    told = outcomes(summary, span)
    if told is None:
        return Impact(requests=0, failed=0, failed_percent=0.0, slo=slo)
    total = told.failed + told.done
    return Impact(
        requests=total,
        failed=told.failed,
        failed_percent=round(100 * told.failed / total, 2),
        slo=slo,
        formulas=(
            ("requests", f"lines of {told.source} that say something was done or failed: as many came each second as before"),
            ("failed", f"of these, the lines like \u201c{_short(told.failing)}\u201d; done: \u201c{_short(told.succeeding)}\u201d"),
            ("failed_percent", "100 x failed / requests"),
        ),
    )


def _short(pattern: str) -> str:
    """A pattern as it is told: its variable parts as an ellipsis, and no longer than a line."""
    text = " ".join(pattern.replace("<*>", "\u2026").split())
    return text if len(text) <= 80 else text[:79] + "\u2026"


def _asked(span: Span, width: int, count: int, beyond: Outside | None) -> str:
    """Which requests were counted, and how exactly their ends are known."""
    if span.signal == "silence":
        return "not all logged: the rate around the gap times its length"
    what = "requests of the access log that ended from onset to recovery, health checks left out"
    if beyond is None:
        return f"{what}; counted by {'whole seconds' if width == 1 else f'stretches of {width} s'}"
    if beyond.fewer or beyond.more:
        low, high = number(count - beyond.fewer), number(count + beyond.more)
        return f"{what}; between {low} and {high}, as logs with stamps of whole seconds do not tell which of the first and last second came before"
    return f"{what}; of the first and last second those logged from the first failure to the last"


def _range(count: int, failed: int, beyond: Outside | None) -> str:
    if beyond is None or not (beyond.fewer or beyond.more) or count <= beyond.fewer:
        return ""
    low, high = (percent(100 * failed / requests) for requests in (count + beyond.more, count - beyond.fewer))
    return f"; between {low} and {high}" if low != high else ""


def _counted(span: Span) -> str:
    if span.signal == "silence":
        off = f"; between {number(span.missing[0])} and {number(span.missing[1])} (95 %), as the rate wavers" if span.missing else ""
        return f"requests that were to be expected and did not come{off}"
    gave_up = ", and 499: many clients gave up at once" if span.closed else "; single clients that gave up, 499, are not counted"
    away = f", or turned away ({', '.join(map(str, span.refused))}) where such requests succeeded before" if span.refused else ""
    return f"of these, answered 5xx, or not answered (0, 444{gave_up}){away}"


def _endpoints(served: pa.Table, span: Span) -> tuple[EndpointImpact, ...]:
    if served.num_rows == 0:
        return ()
    table = served.append_column("bad", pc.if_else(span.fails(served["status"]), served["count"], 0))
    table = table.append_column("asked", pc.if_else(served["bot"], 0, served["count"]))
    rows = table.group_by("endpoint").aggregate([("count", "sum"), ("bad", "sum"), ("asked", "sum")])
    # what scanners try is no part of the site
    if pc.any(pc.greater(rows["asked_sum"], 0)).as_py():
        name = pc.if_else(pc.equal(rows["asked_sum"], 0), BOTS, rows["endpoint"].cast(pa.string()))
        rows = rows.set_column(rows.schema.get_field_index("endpoint"), "endpoint", name)
    # a site that puts names into its paths has an endpoint a page: those are one
    names = pa.array(grouped([str(name) for name in rows["endpoint"].to_pylist()], NAMES))
    table = rows.set_column(rows.schema.get_field_index("endpoint"), "endpoint", names)
    rows = table.group_by("endpoint").aggregate([("count_sum", "sum"), ("bad_sum", "sum")]).rename_columns(["endpoint", "count_sum", "bad_sum"]).to_pylist()
    rows.sort(key=lambda r: (-r["bad_sum"], -r["count_sum"], str(r["endpoint"])))
    return tuple(EndpointImpact(str(r["endpoint"]), r["count_sum"], r["bad_sum"]) for r in rows)


def _statuses(served: pa.Table, span: Span) -> tuple[tuple[str, int], ...]:
    bad = served.filter(span.fails(served["status"]))
    if bad.num_rows == 0:
        return ()
    rows = bad.group_by("status").aggregate([("count", "sum")]).to_pylist()
    return tuple((str(r["status"]), r["count_sum"]) for r in sorted(rows, key=lambda r: (-r["count_sum"], r["status"])))


def _peak(failed: np.ndarray, start: int, width: int) -> tuple[float | None, int | None]:
    """Failed requests per second in the worst ten seconds, and when these began (microseconds)."""
    if not len(failed) or not failed.any():
        return None, None
    bins = max(1, min(10 // width, len(failed)))
    sums = np.convolve(failed, np.ones(bins), "valid")
    at = int(np.argmax(sums))
    return round(float(sums[at]) / (bins * width), 1), (start + at * width) * SECOND


def _latency(summary: Summary, sources: list[str], first: int, last: int) -> Latency | None:
    table = between(summary, "latency", sources, first * SECOND, last * SECOND)
    if table.num_rows == 0:
        return None
    counts = np.bincount(table["bucket"].to_numpy(), table["count"].to_numpy(), len(BUCKETS) + 1)
    below = np.cumsum(counts)
    # a bucket is read as the middle of its edges on the log scale
    middle = np.append(BUCKETS, BUCKETS[-1]) / 2 ** (0.5 / PER_DOUBLING)

    def at(share: float) -> float:
        return float(round(middle[int(np.searchsorted(below, share * below[-1]))], 4))

    return Latency(int(below[-1]), at(0.50), at(0.95), at(0.99))


def _clients(summary: Summary, sources: list[str], first: int, last: int, closed: bool) -> tuple[int | None, int | None, bool]:
    table = between(summary, "clients", sources, first * SECOND, last * SECOND)
    table = table.filter(pc.invert(table["bot"]))
    if table.num_rows == 0:
        return None, None, False
    rows = table.group_by("client").aggregate([("count", "sum"), ("failed", "sum"), ("closed", "sum")])
    rows = rows.filter(pc.greater(rows["count_sum"], 0))
    scale = round(1 / summary.share("clients"))
    bad = pc.add(rows["failed_sum"], rows["closed_sum"]) if closed else rows["failed_sum"]
    hit = int(pc.sum(pc.greater(bad, 0)).as_py() or 0)
    return rows.num_rows * scale, hit * scale, scale > 1
