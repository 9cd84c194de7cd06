"""Made-up logs for tests of the analysis: steady requests with faults in them, and messages around them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from retrolog.parsers.base import event_schema
from retrolog.pipeline.counting.counts import summarize
from retrolog.pipeline.counting.summary import Summary

#: 2026-11-23 10:00:00 UTC
START = 1_795_428_000
SECOND = 1_000_000

Fault = Callable[[float, dict[str, Any]], dict[str, Any] | None]


def events(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """A table of events as `ingest` gives it; columns left out are null, lines are numbered in the order given."""
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([*event_schema(), ("source", text), ("file", text)])
    base = {"lines": 1, "size": 20, "format": "test", "source": "app.log"}
    full = [base | {"line": n, "offset": 21 * n} | row for n, row in enumerate(rows, 1)]
    full = [row | {"file": row.get("file", row["source"])} for row in full]
    return pa.Table.from_pylist([{f.name: row.get(f.name) for f in schema} for row in full], schema=schema)


def requests(
    seconds: int = 600,
    rate: float = 10.0,
    fault: Fault | None = None,
    *,
    seed: int = 1,
    source: str = "access.log",
    background: float = 0.0,
    start: int = START,
) -> list[dict[str, Any]]:
    """Requests at `rate` a second over three endpoints; `fault(t, request)` changes or drops (None) the one at second t."""
    chance = random.Random(seed)
    rows = []
    t = 0.0
    while (t := t + chance.expovariate(rate)) < seconds:
        row: dict[str, Any] = {
            "time": round((start + t) * SECOND),
            "source": source,
            "method": "GET",
            "path": chance.choice(["/", f"/item/{chance.randrange(50)}", "/search"]),
            "status": 500 if chance.random() < background else 200,
            "bytes": 100,
            "client": f"192.0.2.{chance.randrange(200)}",
            "duration": chance.lognormvariate(-4.5, 0.5),
            "message": "",
        }
        changed = fault(t, row) if fault else row
        if changed is not None:
            rows.append(changed)
    return rows


def failing(first: float, last: float, ratio: float = 1.0, path: str = "", status: int = 500, seed: int = 7) -> Fault:
    """A fault: from `first` to `last` (seconds) this share of the requests (to paths that start so) is answered `status`."""
    chance = random.Random(seed)

    def fault(t: float, row: dict[str, Any]) -> dict[str, Any]:
        hit = first <= t < last and row["path"].startswith(path) and chance.random() < ratio
        return row | {"status": status} if hit else row

    return fault


def said(t: float, message: str, severity: str | None = "info", service: str | None = None, **more: Any) -> dict[str, Any]:
    """A message at second t."""
    return {"time": round((START + t) * SECOND), "message": message, "severity": severity, "service": service, **more}


def summary(*parts: list[dict[str, Any]]) -> Summary:
    """The summary of all rows given."""
    return summarize(events([row for part in parts for row in part]))
