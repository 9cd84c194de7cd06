"""What the failed requests have in common and the others have not: a method, a server, a host, a log, a part of the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ...wording import number
from ..edge import edge_sources
from ..likelihood import Bernoulli
from ..traffic import Span, between

if TYPE_CHECKING:
    from ...counting.summary import Summary

#: A value sets failures apart when it holds this share of them, and at most this share of the requests that succeeded.
HOLDS, AMONG_OTHERS = 0.95, 0.7
#: So many failures and so many other requests are needed, and a gain in log-likelihood that chance does not give.
FAILED, OTHERS, GAIN = 20, 20, 15.0
#: A part of the site is told when it has so many endpoints; fewer are told one by one.
ENDPOINTS = 3
#: What logs write where there was no server: HAProxy's word for none chosen, and marks without a letter.
NO_NAME = r"^(?:<NOSRV>|[^0-9A-Za-z]*)$"


@dataclass(frozen=True, slots=True)
class Separation:
    """One value of one dimension that (nearly) all failures have: its failures of all, its requests, and the other requests."""

    dimension: str
    value: str
    failed: int
    of_failed: int
    requests: int
    others: int
    others_failed: int
    values: int  # how many values the dimension has in the span


def separations(summary: Summary, span: Span) -> tuple[Separation, ...]:
    """What sets the failed requests of a span apart, the clearest first (one a dimension)."""
    table = between(summary, "requests", edge_sources(summary), span.onset.time, span.end)
    table = table.filter(pc.invert(table["probe"]))
    if table.num_rows == 0 or span.signal not in ("failures", "refusals"):
        return ()
    table = table.append_column("bad", pc.if_else(span.fails(table["status"]), table["count"], 0))
    table = table.append_column("part", pc.replace_substring_regex(table["endpoint"].cast(pa.string()), r"^(/[^/?]+)/.*$", r"\1/*"))
    found = []
    for dimension, column in (("method", "method"), ("upstream", "upstream"), ("host", "host"), ("log", "source"), ("part", "part")):
        rows = table.filter(pc.invert(pc.fill_null(pc.match_substring_regex(table[column].cast(pa.string()), NO_NAME), True)))
        by = rows.group_by(column).aggregate([("count", "sum"), ("bad", "sum"), ("endpoint", "count_distinct")]).to_pylist()
        total, bad = sum(r["count_sum"] for r in by), sum(r["bad_sum"] for r in by)
        top = max(by, key=lambda r: (r["bad_sum"], str(r[column])), default=None)
        if top is None or len(by) < 2 or (dimension == "part" and (top["endpoint_count_distinct"] < ENDPOINTS or not str(top[column]).endswith("/*"))):
            continue
        one = Separation(
            dimension, str(top[column]), top["bad_sum"], bad, top["count_sum"], total - top["count_sum"], bad - top["bad_sum"], len(by)
        )
        if apart(one, total):
            found.append((_gain(one), one))
    return tuple(one for _, one in sorted(found, key=lambda pair: (-pair[0], pair[1].dimension)))


def apart(one: Separation, total: int, holds: float = HOLDS) -> bool:
    """Whether one value holds nearly all failures, and the other requests are many and fine."""
    fine, fine_here = total - one.of_failed, one.requests - one.failed
    if one.of_failed < FAILED or one.others < OTHERS or one.failed < holds * one.of_failed:
        return False
    return fine_here <= AMONG_OTHERS * fine and _gain(one) >= GAIN


#: What fields of records are called in sentences, where their own names are not words.
_CALLED = (("user_agent", "the user agent"), ("user-agent", "the user agent"), ("useragent", "the user agent"), ("agent", "the user agent"))


def _called(field: str) -> str:
    last = field.rsplit(".", 1)[-1].lower()
    return next((words for name, words in _CALLED if last == name or last == "ua"), f"{field}")


def _gain(one: Separation) -> float:
    """How much likelier the counts are when the value fails at a ratio of its own (Wilks' log-likelihood ratio, halved)."""
    fit = Bernoulli().fit
    apart = fit(one.failed, one.requests) + fit(one.others_failed, one.others)
    return apart - fit(one.of_failed, one.requests + one.others)


def told(one: Separation) -> str:
    """A separation in a sentence: all 427 failed requests are POST; of 2,362 others none failed."""
    what = {
        "method": f"are {one.value}",
        "upstream": f"went to the upstream {one.value}, one of {number(one.values)}",
        "host": f"were made to the host {one.value}, one of {number(one.values)}",
        "log": f"stand in {one.value}, one of {number(one.values)} access logs",
        "part": f"are for {one.value}",
    }.get(one.dimension, f"have {_called(one.dimension)} {one.value}")
    count = f"All {number(one.failed)}" if one.failed == one.of_failed else f"{number(one.failed)} of {number(one.of_failed)}"
    rest = "none" if not one.others_failed else number(one.others_failed)
    return f"{count} failed requests {what}; of {number(one.others)} others {rest} failed."
