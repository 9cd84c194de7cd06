"""Where in these logs the outages are: for a user who knows only the day."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..analysis import traffic
from ..analysis.edge import edge_sources
from ..analysis.impact.cost import impact
from ..analysis.outages import search as outages
from ..wording import Clock, duration, number, percent
from .events import iso

if TYPE_CHECKING:
    from ..analysis.traffic import Span
    from ..counting.summary import Summary
    from ..window import Window

MINUTE = 60 * 1_000_000
#: Minutes of calm that the proposed window has before the onset and after the recovery.
BEFORE, AFTER = 15, 5


def found(summary: Summary, window: Window, paths: Sequence[str], said: Mapping[str, Any], clock: Clock) -> list[dict[str, Any]]:
    """One row an outage: onset, recovery, figures, and the `draft` command that looks closer. Blips are left out.

    `said` are the options of the command line by name, which the proposed command repeats as far as they say how to read.
    """
    rows = []
    for span in outages.find(summary, window):
        if not span.is_blip:
            cost = impact(summary, span, window)
            rows.append(
                {
                    "onset": clock.iso(span.onset.time),
                    "recovery": clock.iso(span.recovery.time) if span.recovery else None,
                    "lasted_s": None if span.recovery is None else round((span.recovery.time - span.onset.time) / 1e6, 3),
                    "signal": span.signal,
                    "requests": cost.requests,
                    "failed": cost.failed if cost.requests else span.failed,
                    "failed_percent": cost.failed_percent,
                    "draft": command(span, paths, said, clock),
                }
            )
    return rows


#: Options that say how logs are read, which hold for the draft of an outage too; the window is its own.
_REPEATED = {"zone": "--tz", "year": "--year", "include": "--include", "exclude": "--exclude", "config": "--config", "jobs": "--jobs"}


def command(span: Span, paths: Sequence[str], said: Mapping[str, Any], clock: Clock) -> str:
    """The `draft` command for one outage, with calm minutes around it, reading the logs as they were read here."""
    start = (span.onset.time // MINUTE - BEFORE) * MINUTE
    end = (-(-span.end // MINUTE) + AFTER) * MINUTE
    name = f"postmortem-{clock.at(span.onset.time):%Y%m%d-%H%M}.md"
    words = ["retrolog", "draft", *paths, "--from", clock.iso(start) or "", "--to", clock.iso(end) or ""]
    for option, flag in _REPEATED.items():
        value = said.get(option)
        for one in value if isinstance(value, tuple | list) else () if value is None else (value,):
            words += [flag, str(one)]
    return shlex.join([*words, "-o", name])


def as_text(rows: Sequence[dict[str, Any]], summary: Summary, clock: Clock) -> str:
    """The rows for a terminal; says what was looked at when there is none."""
    span = traffic.extent(summary)
    if span is None:
        return "No event with a time was found in these logs.\n"
    covered = f"{clock.stamp(span[0] * 1_000_000)} to {clock.stamp(span[1] * 1_000_000)} ({clock.label(span[0] * 1_000_000)})"
    if not rows:
        total = traffic.series(summary, edge_sources(summary))
        count, failed = (int(total.requests.sum()), int(total.failed.sum())) if total is not None else (0, 0)
        share = f"{number(failed)} of {number(count)} requests ({percent(100 * failed / count)}) failed, spread as usual" if count else "no requests were found, and error lines show no surge"
        return f"No outage was found from {covered}: {share}.\n"
    out = [f"{len(rows)} outage{'s' if len(rows) != 1 else ''} from {covered}:", ""]
    for row in rows:
        end = row["recovery"] or "not ended"
        lasted = "" if row["lasted_s"] is None else f", {duration(round(row['lasted_s'] * 1e6))}"
        size = f"{number(row['failed'])} of {number(row['requests'])} requests failed ({percent(row['failed_percent'])})" if row["requests"] else f"{number(row['failed'])} error lines"
        out += [f"{row['onset']} to {end}{lasted}: {size}, seen in {row['signal']}", f"    {row['draft']}", ""]
    return "\n".join(out)


def as_json(rows: Sequence[dict[str, Any]], summary: Summary) -> str:
    """`{"covers": [first, last], "outages": [...]}`, times in ISO 8601 (`covers` in UTC)."""
    span = traffic.extent(summary)
    covers = None if span is None else [iso(second * 1_000_000) for second in span]
    return json.dumps({"covers": covers, "outages": list(rows)}, indent=1, ensure_ascii=False) + "\n"
