"""Shows the log lines around a moment from all sources on one clock, searches them, and quotes one for the document."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import safe
from ..analysis import evidence
from ..arguments import recorded
from ..drafting.document import Document
from ..drafting.mask import Masker
from ..errors import RetrologError
from ..findings import Evidence
from ..investigate import fetcher
from ..options import Options
from ..reading.jumps import Cut, stretch_of
from ..window import Window, read_zone
from ..wording import SECOND, Clock
from .sheet import Sheet

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ..reading.sources import Discovery

ROWS = 120  # lines shown at a time
SPAN = (
    6 * 3600 * SECOND
)  # what is held at a time; a longer window is read around the moment that is looked at
FOLD = 10 * SECOND  # lines of one kind within this time are shown as one
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
_COLUMNS = (
    "time", "file", "source", "line", "lines", "offset", "size", "severity", "host", "service", "message", "client",
    "method", "path", "status", "duration",
)  # fmt: skip


class NoLogs(RetrologError):
    """The logs are not there any more, or the document does not say where they are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the logs of a document are and how they were read."""

    paths: tuple[str, ...]
    options: Options
    mask: bool = True
    offsets: Mapping[str, float] = field(default_factory=dict)  # seconds that a file's clock is ahead
    steps: Mapping[str, tuple[tuple[Cut, float], ...]] = field(default_factory=dict)  # ... and from which row on, where it was set amid it


def asked(document: Document, folder: Path, logs: Sequence[str] = ()) -> Asked:
    """What the document's own command read, or the same with the paths given by `logs`.

    A relative path is looked for where the user is, then beside the document. Paths with a scheme are only read when the
    user names them: opening a document must not reach out to a network. Raises NoLogs with what to do.
    """
    from ..config import load
    from ..drafting.entries import instant
    from ..wording import zone

    metadata = document.metadata
    given = recorded(str(metadata.get("command") or ""))
    window = metadata.get("window")
    bounds = window if isinstance(window, dict) else {}
    paths = [str(path) for path in logs] or [
        found for path in given.get("paths") or () if (found := _existing(str(path), folder))
    ]
    if not paths:
        raise NoLogs(
            "The logs behind this document are not here; name their directory with --logs to see the lines around."
        )
    name = str(given.get("zone") or metadata.get("zone") or "UTC")
    options = Options(
        window=Window(instant(bounds.get("start")), instant(bounds.get("end"))),
        zone=read_zone(name) if given.get("zone") else zone(name),
        zone_name=name,
        zone_given=bool(given.get("zone")),
        year=given.get("year"),
        include=tuple(given.get("include") or ()),
        exclude=tuple(given.get("exclude") or ()),
        max_entries=given.get("max_entries") or 25,
        slo=given.get("slo"),
    )
    stated = _existing(str(given.get("config") or ""), folder) if given.get("config") else ""
    settings = load(Path(stated) if stated else None, paths)
    options = settings.applied(options, [key for key in ("zone", "year") if given.get(key)])
    return Asked(tuple(paths), options, not given.get("no_mask"), _offsets(metadata.get("sources")), _steps(metadata.get("sources")))


def _steps(sources: Any) -> dict[str, tuple[tuple[Cut, float], ...]]:
    """The same of files whose clock was set amid them, with the rows from which on."""
    from ..drafting.entries import instant

    out: dict[str, tuple[tuple[Cut, float], ...]] = {}
    for row in sources if isinstance(sources, list) else ():
        steps = row.get("clock_steps") if isinstance(row, dict) else None
        if not isinstance(steps, list) or not all(isinstance(one, dict) and isinstance(one.get("clock_offset_s"), int | float) for one in steps):
            continue
        cuts = [Cut(line=one["line"]) if isinstance(one.get("line"), int) else Cut(time=instant(one.get("stamp")) or 0) for one in steps]
        out[str(row.get("file"))] = tuple((cut, float(one["clock_offset_s"])) for cut, one in zip(cuts, steps, strict=True))
    return out


def _offsets(sources: Any) -> dict[str, float]:
    """How far the clock behind each file is ahead, as the document's front matter has it."""
    rows = [row for row in sources if isinstance(row, dict)] if isinstance(sources, list) else []
    return {
        str(row.get("file")): float(ahead)
        for row in rows
        if isinstance(ahead := row.get("clock_offset_s"), int | float) and abs(ahead) < 1e9
    }


def _existing(path: str, folder: Path) -> str:
    if "://" in path or path == "-":
        return ""
    return next((str(one) for one in (Path(path), folder / path) if one.exists()), "")


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show: `text` in the message, severity at least `level`, one source, one service; `gist` folds the usual."""

    text: str = ""
    level: str = ""
    source: str = ""
    service: str = ""
    gist: bool = True

    @property
    def narrows(self) -> bool:
        """Whether it leaves out more than the usual."""
        return bool(self.text or self.level or self.source or self.service)


@dataclass(frozen=True, slots=True)
class Row:
    """A log line as the page shows it, masked; `same` counts lines of its kind that follow within ten seconds."""

    file: str
    line: int
    source: str
    moment: int
    time: str
    severity: str
    service: str
    message: str
    status: int | None
    same: int = 0
    cited: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A stretch of rows: `first` is the place of the first one among `total` that fit the filter."""

    rows: tuple[Row, ...]
    first: int
    total: int
    events: int
    span: tuple[int, int] | None = None


class EventLog:
    """The events of a document's window, read when they are first asked for; safe to ask from several threads."""

    def __init__(self, question: Asked, sheet: Sheet, text: str) -> None:
        self.question = question
        self.masker = Masker(question.mask)
        self._lock = threading.RLock()
        self._table: pa.Table | None = None
        self._held: Window | None = None
        self._resume(sheet, text)

    @cached_property
    def found(self) -> Discovery:
        """The files; raises NothingToRead when there are none."""
        from ..reading.sources import discover

        return discover(self.question.paths, self.question.options.include, self.question.options.exclude)

    def _resume(self, sheet: Sheet, text: str) -> None:
        """Takes over the pseudonyms of the document, whose quoted lines are laid beside those in the logs."""
        if not self.question.mask:
            return
        quoted = evidence.quoted(sheet.evidence.values(), fetcher(self.found.files))
        pairs = [(safe.clean(now.text), was.text) for was, now in quoted.items() if now.digest == was.digest]
        self.masker.resume(text, pairs)

    def masked(self, text: str) -> str:
        with self._lock:
            return self.masker.text(text, spread=False)

    def _held_around(self, moment: int | None) -> tuple[pa.Table, Window]:
        """The events around a moment in order of true time, and the span they were read for."""
        with self._lock:
            wanted = self._span(moment)
            if self._table is None or self._held != wanted:
                self._table, self._held = self._read(wanted), wanted
            return self._table, wanted

    def _span(self, moment: int | None) -> Window:
        window = self.question.options.window
        if window.start is None or window.end is None or window.end - window.start <= SPAN:
            return window
        if self._held and (moment is None or moment in self._held):
            return self._held
        at = window.start if moment is None else min(max(moment, window.start), window.end)
        start = max(window.start, min(at - SPAN // 2, window.end - SPAN))
        return Window(start, start + SPAN)

    def _read(self, window: Window) -> pa.Table:
        """The events of a span of true time in order; `time` in microseconds."""
        import numpy as np
        import pyarrow as pa

        from ..commands.events import collect

        pc = _compute()
        ahead = {name: round(seconds * SECOND) for name, seconds in self.question.offsets.items() if seconds}
        steps = {name: [(cut, round(seconds * SECOND)) for cut, seconds in rows] for name, rows in self.question.steps.items()}
        slack = max((abs(shift) for shift in [*ahead.values(), *(shift for rows in steps.values() for _, shift in rows)]), default=0)
        options = replace(self.question.options, window=window.widened(slack, slack))
        table, _ = collect(self.found.sources, options)
        if not table.num_columns:
            return pa.table({})
        table = table.filter(pc.is_valid(table["time"])).select(_COLUMNS)
        micros = table["time"].cast(pa.int64()).to_numpy()
        if not slack:
            return table.set_column(0, "time", pa.array(micros))
        files = np.array(table["file"].to_pylist(), object)
        shift = np.array([ahead.get(name, 0) for name in files.tolist()], np.int64)
        for name, rows in steps.items():
            mine = np.flatnonzero(files == name)
            known = np.array([0, *(seconds for _, seconds in rows)])
            shift[mine] = known[stretch_of([cut for cut, _ in rows], table["line"].to_numpy()[mine], micros[mine])]
        micros = micros - shift
        table = table.set_column(0, "time", pa.array(micros))
        inside = [moment in window for moment in micros.tolist()]
        table = table.filter(pa.array(inside))
        return table.take(pc.sort_indices(table, [("time", "ascending")]))

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Sources and services that occur, for choosing one."""
        table, _ = self._held_around(None)
        if not table.num_columns:
            return (), ()
        found = [sorted(v for v in table[name].unique().to_pylist() if v) for name in ("source", "service")]
        return tuple(found[0]), tuple(self.masked(name) for name in found[1])

    def view(
        self, clock: Clock, chosen: Filter, *, moment: int | None = None, first: int | None = None,
        cited: Mapping[tuple[str, int], int] | None = None,
    ) -> View:  # fmt: skip
        """The rows around a moment, or from place `first` on; lines that the document quotes (`cited`) always show."""
        import numpy as np

        table, span = self._held_around(moment)
        if not table.num_columns:
            return View((), 0, 0, 0)
        cited = cited or {}
        # A search shows what was searched for and nothing besides.
        always = _at(table, {} if chosen.narrows else cited)
        keep, same = self._chosen(table, chosen, always)
        places = np.flatnonzero(keep)
        if first is None:
            time = table["time"].to_numpy()[places]
            at = 0 if moment is None else int(np.searchsorted(time, moment))
            first = at - ROWS // 3
        first = max(0, min(first, len(places) - ROWS))
        shown = places[first : first + ROWS]
        held = (span.start, span.end) if span.start is not None and span.end is not None else None
        rows = tuple(
            self._row(row, clock, int(same[place]), cited)
            for place, row in zip(shown, table.take(shown).to_pylist(), strict=True)
        )
        return View(rows, first, len(places), table.num_rows, held)

    def _row(self, row: dict[str, Any], clock: Clock, same: int, cited: Mapping[tuple[str, int], int]) -> Row:
        text = _said(row)
        return Row(
            file=row["file"], line=row["line"], source=row["source"], moment=row["time"], time=clock.time(row["time"]),
            severity=row["severity"] or "", service=self.masked(row["service"] or ""),
            message=safe.clean(self.masked(text[: evidence.QUOTE])), status=row["status"], same=same,
            cited=cited.get((row["file"], row["line"]), 0),
        )  # fmt: skip

    def _chosen(self, table: pa.Table, chosen: Filter, always: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which rows to show, and how many of the same kind each stands for besides itself."""
        import numpy as np
        import pyarrow as pa

        pc = _compute()
        keep = np.ones(table.num_rows, bool)
        same = np.zeros(table.num_rows, np.int64)
        if chosen.text:
            words = self.masker.original(chosen.text)
            hits = [
                pc.match_substring(table[n].cast(pa.string()), words, ignore_case=True)
                for n in ("message", "client", "file")
            ]
            keep &= np.logical_or.reduce([pc.fill_null(hit, False).to_numpy() for hit in hits])
        if chosen.level in LEVELS:
            loud = pa.array(LEVELS[LEVELS.index(chosen.level) :])
            severe = pc.fill_null(
                pc.is_in(table["severity"].cast(pa.string()), value_set=loud), False
            ).to_numpy()
            failed = pc.fill_null(pc.greater_equal(table["status"], 500), False).to_numpy()
            keep &= severe | failed
        for name, value in (("source", chosen.source), ("service", self.masker.original(chosen.service))):
            if value:
                keep &= pc.fill_null(pc.equal(table[name].cast(pa.string()), value), False).to_numpy()
        if chosen.gist:
            if not chosen.narrows:
                keep &= ~pc.fill_null(pc.less(table["status"], 400), False).to_numpy()
            keep, same = _folded(table, keep)
        return keep | always, same

    def quote(self, file: str, line: int) -> tuple[Evidence, Row]:
        """A line as evidence for the document (text masked), and the row it is; raises NoLogs when it is not there."""
        with self._lock:
            table, _ = self._held_around(None)
            rows = table.filter(_at(table, {(file, line): 1})).to_pylist() if table.num_columns else []
        if not rows:
            raise NoLogs(f"{safe.clean(file)[:200]}:{line} is not among the lines that are shown.")
        row = rows[0]
        item = evidence.evidence(row)
        found = evidence.quoted([item], fetcher(self.found.files))[item]
        if not found.digest:
            raise NoLogs(f"{safe.clean(file)[:200]}:{line} can no longer be read; was the log rotated?")
        zone = Clock(self.question.options.zone_name)
        return replace(found, text=self.masked(found.text)), self._row(row, zone, 0, {})

    def lines(self, item: Evidence) -> str:
        """The whole event as logged, masked, for reading; empty when it is not there any more."""
        raw = fetcher(self.found.files)(item.file, [item]).get(item.line, b"")
        return safe.clean_lines(self.masked(raw[:20_000].decode("utf-8", "replace")).rstrip("\n"))


def _compute() -> Any:
    # Its functions are made at import time: no checker sees them.
    import pyarrow.compute

    return pyarrow.compute


def _said(row: Mapping[str, Any]) -> str:
    """A line in short: of a request what was asked and how long it took, of several lines the first and the last."""
    if row["status"] is not None and row["path"]:
        took = "" if row["duration"] is None else f" · {row['duration'] * 1000:,.0f} ms"
        return f"{row['method'] or ''} {row['path']}{took}".strip()
    lines = [line for line in (row["message"] or "").split("\n") if line.strip()]
    return " … ".join([lines[0], *([lines[-1].strip()] if len(lines) > 1 else [])]) if lines else ""


def _at(table: pa.Table, cited: Mapping[tuple[str, int], int]) -> np.ndarray:
    """Which rows are one of these lines."""
    import numpy as np
    import pyarrow as pa

    pc = _compute()
    found = np.zeros(table.num_rows, bool)
    by_file: dict[str, list[int]] = {}
    for file, line in cited:
        by_file.setdefault(file, []).append(line)
    for file, lines in by_file.items():
        here = pc.equal(table["file"].cast(pa.string()), file)
        found |= pc.fill_null(
            pc.and_(here, pc.is_in(table["line"], value_set=pa.array(lines))), False
        ).to_numpy()
    return found


def _folded(table: pa.Table, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the lines of one kind and source within ten seconds only the first, and how many it stands for besides itself.

    Requests are of one kind when their answers are.
    """
    import numpy as np
    import pyarrow as pa

    from ..counting.patterns import signatures

    places = np.flatnonzero(keep)
    same = np.zeros(table.num_rows, np.int64)
    if not len(places):
        return keep, same
    part = table.take(places)
    kind = signatures(part["message"].combine_chunks()).indices.fill_null(-1).to_numpy().astype(np.int64)
    source = (
        part["source"].cast(pa.string()).combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
    )
    kind[part["status"].is_valid().to_numpy()] = -2
    status = part["status"].fill_null(0).to_numpy().astype(np.int64)
    span = part["time"].to_numpy() // FOLD
    keys = np.stack([kind * 1000 + status, source.astype(np.int64), span])
    _, first, counts = np.unique(keys, axis=1, return_index=True, return_counts=True)
    shown = np.zeros(table.num_rows, bool)
    shown[places[first]] = True
    same[places[first]] = counts - 1
    return shown, same
