"""Puts every source on one clock: applies the offsets that `retrolog.pipeline.analysis.clocks.offsets` is sure of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...counting.summary import LAYOUTS, Summary, refold
from .offsets import IN_UTC, Evidence, Offset, estimate

SECOND = 1_000_000
#: What an offset that is too unsure to be applied must have to be told.
LEAST_PAIRS, LEAST_HEIGHT = 8, 5.0
#: Minutes from UTC that are in use somewhere beside whole hours (IANA time zone data); no clock is set to any other.
_PART_HOURS = {-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825}
_PAGES = 12  # pages whose requests are compared, the busiest first


def aligned(summary: Summary, offsets: Mapping[str, float]) -> Summary:
    """The summary with each source's stamps moved to true time: stamp less offset (seconds, positive is ahead).

    Bins move by the offset rounded to their width; first and last events keep their microseconds.
    """
    moved = {source: offset for source, offset in offsets.items() if offset}
    if not moved:
        return summary
    tables = {}
    for name, table in summary.tables.items():
        shift = np.array([moved.get(s, 0.0) for s in table["source"].to_pylist()])
        for column in table.column_names:
            if column in ("time", "last_time"):
                micros = table[column].to_numpy() - np.round(shift * SECOND).astype(np.int64)
                table = _replaced(table, column, micros)
            elif column == "second":
                width = summary.width(name)
                moved_to = table[column].to_numpy() - np.round(shift).astype(np.int64)
                table = _replaced(table, column, moved_to - moved_to % width)
        tables[name] = refold(name, table)
    return Summary({n: tables[n] for n in LAYOUTS if n in tables}, summary.levels)


def _replaced(table: pa.Table, column: str, values: np.ndarray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, pa.array(values))


def units(summary: Summary) -> dict[str, str]:
    """Which clock each source was written by: its folder where folders are hosts, else the host its lines name, else one for all.

    Folders are hosts when there are several at the top and no two of them name the same host in their lines.
    """
    sources = sorted(set(summary.table("seconds")["source"].to_pylist()))
    named = _hosts(summary)
    tops = {s: s.split("/", 1)[0] for s in sources if "/" in s}
    if len(set(tops.values())) >= 2:
        hosts: dict[str, Counter[str]] = {}
        for source, top in tops.items():
            hosts.setdefault(top, Counter()).update(named.get(source, Counter()))
        main = [count.most_common(1)[0][0] for count in hosts.values() if count]
        if len(main) >= 2 and len(set(main)) == len(main):
            return {s: tops.get(s, "") for s in sources}
    if len({host for count in named.values() for host in count}) < 2:
        return dict.fromkeys(sources, "")
    return {s: named[s].most_common(1)[0][0] if named.get(s) else "" for s in sources}


def _hosts(summary: Summary) -> dict[str, Counter[str]]:
    table = summary.table("patterns")
    table = table.filter(pc.is_valid(table["host"]))
    found: dict[str, Counter[str]] = {}
    for row in table.group_by(["source", "host"]).aggregate([("count", "sum")]).to_pylist():
        found.setdefault(row["source"], Counter())[row["host"]] += row["count_sum"]
    return found


def main_of(summary: Summary, unit_of: Mapping[str, str]) -> str:
    """The clock that others are compared with: that of the requests, else the one with the most events."""
    seconds = summary.table("seconds").group_by("source").aggregate([("requests", "sum"), ("events", "sum")]).to_pylist()
    weight: Counter[str] = Counter()
    for row in seconds:
        weight[unit_of[row["source"]]] += 1000 * row["requests_sum"] + row["events_sum"]
    return min(weight, key=lambda unit: (-weight[unit], unit))


def estimated(summary: Summary, apart: Mapping[str, str] | None = None, groups: Mapping[str, str] | None = None) -> dict[str, Offset]:
    """How far the clock of each source is ahead of the main one's, for every source of which something is known.

    `apart` names the clock of sources that are to be taken as written by one of their own. Clocks of one group (`groups`) are not
    compared with each other.

    The main clock is that of the requests, for what users saw is told in its time; without requests it is the one with
    the most events. Sources on it are not in the answer.
    """
    unit_of = units(summary) | dict(apart or {})
    if len(set(unit_of.values())) < 2:
        return {}
    evidence = {unit: _evidence(summary, [s for s in unit_of if unit_of[s] == unit]) for unit in sorted(set(unit_of.values()))}
    found = estimate(evidence, main_of(summary, unit_of), groups)
    return {source: found[unit] for source, unit in sorted(unit_of.items()) if unit in found}


def settled(
    found: Mapping[str, Offset], stated: Mapping[str, float], zoned: Collection[str] = (), assumed: float = 0.0
) -> tuple[dict[str, float], dict[str, str]]:
    """The offsets to apply by source, and what is said of each clock: stated ones beat found ones, unsure ones are only told.

    `zoned` are the sources whose rows name their zone. Where a host has others too, a whole zone of difference is the fault of the
    zone that was assumed for those (`assumed`, in seconds from UTC), and is applied to them alone; unless that would be a zone that
    no place has: then it is the clock, and moves all that it stamped.
    """
    misread = {whole for source, whole in found.items() if source not in zoned and _in_use(assumed + whole.zone)}
    applied: dict[str, float] = {}
    notes: dict[str, str] = {}
    for source, whole in found.items():
        offset = replace(whole, seconds=whole.skew) if source in zoned and whole in misread else whole
        size = f"{offset.seconds:+.1f} s ± {offset.error:.1f} s ({offset.method}, {offset.pairs} pairs, z {offset.z:.0f})"
        if offset.method == IN_UTC and source not in stated:
            applied[source] = round(offset.seconds, 3)
            notes[source] = "read as written in UTC: only so does it end when the other logs do"
            continue
        if source in stated or (not offset.sure and abs(offset.seconds) <= max(offset.error, 1.0)):
            continue
        if not offset.sure:
            if offset.pairs < LEAST_PAIRS or offset.z < LEAST_HEIGHT:
                continue  # a lag stands out somewhat in any two logs
            notes[source] = f"perhaps {size}, not sure enough to be applied{': ' + offset.note if offset.note else ''}"
        elif abs(offset.seconds) > max(offset.error, 1.0):
            applied[source] = round(offset.seconds, 3)
            notes[source] = f"{size}, applied" + (f"; as if written {_zone(offset.zone)} from the zone assumed" if offset.zone and whole in misread else "")
        else:
            notes[source] = f"agrees: {size}"
    for source, seconds in stated.items():
        applied[source] = seconds
        notes[source] = f"{seconds:+.1f} s, as stated"
    return applied, notes


def _in_use(seconds: float) -> bool:
    """Whether any place is so far from UTC."""
    minutes = round(seconds / 60)
    return (minutes % 60 == 0 and -720 <= minutes <= 840) or minutes in _PART_HOURS


def _zone(seconds: float) -> str:
    """A whole-zone difference as `+05:30`."""
    minutes = round(abs(seconds) / 60)
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _evidence(summary: Summary, sources: list[str]) -> Evidence:
    """Times of errors and of all messages by source, the sampled request ids and the requests alike, of what one clock wrote."""
    table = summary.table("patterns")
    severe = pa.array(["error", "critical", "alert", "emergency"])
    series: dict[str, np.ndarray] = {}
    for source in sources:
        rows = table.filter(pc.equal(table["source"], source))
        series[f"errors of {source}"] = _moments(rows.filter(pc.fill_null(pc.is_in(rows["severity"], value_set=severe), False)))
        series[f"messages of {source}"] = _moments(rows)
    bad = summary.table("failures")
    series["failed requests"] = _moments(bad.filter(pc.is_in(bad["source"], value_set=pa.array(sources, pa.string()))))
    asked = summary.table("requests")
    asked = asked.filter(pc.is_in(asked["source"], value_set=pa.array(sources, pa.string())))
    series["requests"] = _seconds_of(asked)
    # an application may log the requests of one page only, and then only that page tells its clock
    pages = asked.group_by("endpoint").aggregate([("count", "sum")]).to_pylist()
    for page in sorted(pages, key=lambda row: (-row["count_sum"], str(row["endpoint"])))[:_PAGES]:
        series[f"requests to {page['endpoint']}"] = _seconds_of(asked.filter(pc.equal(asked["endpoint"], page["endpoint"])))
    ids = summary.table("request_ids")
    ids = ids.filter(pc.is_in(ids["source"], value_set=pa.array(sources, pa.string())))
    pairs = (ids["request_id"].to_numpy(), ids["time"].to_numpy() / SECOND) if ids.num_rows else None
    alike = summary.table("likes")
    alike = alike.filter(pc.is_in(alike["source"], value_set=pa.array(sources, pa.string())))
    often = np.minimum(alike["count"].to_numpy(), 1000)
    keys = (np.repeat(alike["key"].to_numpy(), often), np.repeat(alike["time"].to_numpy() / SECOND, often)) if alike.num_rows else None
    return Evidence({name: times for name, times in series.items() if len(times) >= 8}, pairs, keys)


def _seconds_of(rows: pa.Table) -> np.ndarray:
    """The seconds in which requests were logged, each as often as there were requests."""
    return np.sort(np.repeat(rows["second"].to_numpy(), np.minimum(rows["count"].to_numpy(), 1000)).astype(float))


def _moments(rows: pa.Table) -> np.ndarray:
    """When the events of bins happened, in seconds: spread evenly from the first of a bin to its last."""
    if rows.num_rows == 0:
        return np.zeros(0)
    count = np.minimum(rows["count"].to_numpy(), 1000)
    first, last = rows["time"].to_numpy() / SECOND, rows["last_time"].to_numpy() / SECOND
    which = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return np.sort(first[which] + (last - first)[which] * place / np.maximum(count[which] - 1, 1))
