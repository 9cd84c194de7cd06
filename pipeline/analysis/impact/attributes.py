"""What failed requests share that no count is kept of: a user agent, or any field of their records (tenant, version, node, region)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.requests import mark
from ..edge import edge_sources
from ..traffic import SECOND, Span, between
from .separation import Separation, apart

if TYPE_CHECKING:
    from ...counting.summary import Summary

Look = Callable[[int, int], pa.Table]

#: How much of an outage is looked at, and of the time before it, where it is seen what is usual.
FIRST, BEFORE = 600 * SECOND, 60 * SECOND
#: More requests than this are not read again for it: each is read with all of its fields, 50 microseconds and 3 kB.
MOST = 8_000
#: A field tells requests apart when nearly all have it and it has few values; a value that comes with failures alone is what they say of themselves.
HAVE_IT, VALUES, FINE = 0.9, 40, 5
#: A value holds this share of the failures: restarts and repairs fail some of the others for a second.
HOLDS = 0.9
#: Fields that hold the answer, the single request, or what is counted and told already.
_ANSWERS = re.compile(
    r"(?i)status|code|level|severity|message|\bmsg\b|err|exception|result|outcome|bytes|size|length|duration|elapsed|latency|time|took|\bms\b|"
    r"(?:^|[_.-])id$|uuid|trace|span|path|ur[il]|url|route|endpoint|method|client|addr|\bip\b|port|referr?er|cookie|cache|pid|thread|line|file|upstream|^host$"
)


def attributes(summary: Summary, span: Span, look: Look) -> tuple[Separation, ...]:
    """The fields of their records that set the failed requests of a span apart, the clearest first, at most two.

    `look(first, last)` gives the events of a short time; what is looked at ends with `looked_until`. Nothing is read where
    everything fails.
    """
    if span.signal not in ("failures", "refusals"):
        return ()
    sources = edge_sources(summary)
    until = looked_until(summary, span)
    if not sources or until <= span.onset.time or not span.requests or span.failed >= 0.98 * span.requests:
        return ()
    table = look(span.onset.time - BEFORE, until)
    if not table.num_rows:
        return ()
    theirs = pc.is_in(table["source"].cast(pa.string()), value_set=pa.array(sources, pa.string()))
    table = table.filter(pc.and_(pc.and_(theirs, pc.is_valid(table["path"])), pc.is_valid(table["status"])))
    table = table.unify_dictionaries().combine_chunks()
    table = table.filter(pa.array(~mark(table).probe))
    bad = pc.fill_null(span.fails(table["status"]), False).to_pylist()
    times = table["time"].cast(pa.int64()).to_pylist()
    fields = [_fields(text) for text in table["fields"].to_pylist()]
    paths = [str(path).split("?", 1)[0] for path in table["path"].to_pylist()]
    always = _always_failing(zip(times, bad, paths, strict=True), span.onset.time)
    rows = [(time, failed, named) for time, failed, named, path in zip(times, bad, fields, paths, strict=True) if path not in always]
    during = [(failed, named) for time, failed, named in rows if time >= span.onset.time]
    fine = Counter((key, value) for _, failed, named in rows if not failed for key, value in named.items())
    found = []
    for key in sorted({key for _, named in during for key in named}):
        one = _of_field(key, during, fine)
        if one is not None:
            found.append(one)
    found.sort(key=lambda one: (-one.failed / max(one.requests, 1), one.dimension))
    return tuple(found[:2])


def looked_until(summary: Summary, span: Span) -> int:
    """The end of the part of an outage that is looked at, in microseconds: all of it, or as much as is worth reading again."""
    end = min(span.end + 1, span.onset.time + FIRST)
    counted = between(summary, "requests", edge_sources(summary), span.onset.time - BEFORE, end)
    second, count = counted["second"].to_numpy(), counted["count"].to_numpy()
    if count.sum() <= MOST:
        return end
    order = np.argsort(second, kind="stable")
    return min(end, int(second[order][np.searchsorted(np.cumsum(count[order]), MOST)]) * SECOND)


def _always_failing(rows: Iterable[tuple[int, bool, str]], onset: int) -> set[str]:
    """The paths that mostly failed before the onset as well: what is refused every day is no part of the outage."""
    before = [(path, failed) for time, failed, path in rows if time < onset]
    asked, failed = Counter(path for path, _ in before), Counter(path for path, bad in before if bad)
    return {path for path, count in failed.items() if count >= 0.5 * asked[path]}


def _of_field(key: str, during: Sequence[tuple[bool, dict[str, str]]], fine: Counter[tuple[str, str]]) -> Separation | None:
    """The value of a field that sets the failures apart, if one does."""
    told = [(failed, named[key]) for failed, named in during if key in named]
    values = Counter(value for _, value in told)
    failed = Counter(value for bad, value in told if bad)
    if len(told) < HAVE_IT * len(during) or not 2 <= len(values) <= VALUES or not failed:
        return None
    value, most = max(failed.items(), key=lambda pair: (pair[1], pair[0]))
    of_failed = sum(failed.values())
    one = Separation(key, value, most, of_failed, values[value], len(told) - values[value], of_failed - most, len(values))
    return one if fine[key, value] >= FINE and apart(one, len(told), HOLDS) else None


def _fields(text: str | None) -> dict[str, str]:
    """The short values of a record that say what kind of request it was."""
    try:
        record = json.loads(text) if text else {}
    except ValueError:
        return {}
    return {key: value for key, value in _flat(record) if not _ANSWERS.search(key) and 0 < len(value) <= 120}


def _flat(record: Any, prefix: str = "", depth: int = 0) -> list[tuple[str, str]]:
    """The texts of a record by the names that lead to them; a list counts by its only member."""
    out: list[tuple[str, str]] = []
    if isinstance(record, list) and len(record) == 1:
        return _flat(record[0], prefix, depth)
    if isinstance(record, dict) and depth < 4:
        for key, value in record.items():
            out += _flat(value, f"{prefix}.{key}" if prefix else str(key), depth + 1)
    elif isinstance(record, str) and prefix:
        out.append((prefix, record))
    return out


def names(one: Separation) -> str | None:
    """The word by which a line elsewhere would name what failed requests share; None where it is no name."""
    word = re.split(r"[/ ;(]", one.value.strip("\"'"), maxsplit=1)[0].lower()
    return word if len(word) >= 3 and re.search(r"[a-z]", word) and word not in _EVERYDAY else None


_EVERYDAY = frozenset("mozilla get post put delete patch head true false none null http https prod production default other main".split())
