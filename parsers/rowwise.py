"""Rows of one file in, events out, one row after the other.

Only a line feed ends a line. An event begins with a row that has its own time in a place its format knows, or is a
record by itself; an untimed row belongs to the event before it, or is an undated event when none came before. So every
physical line is in exactly one event.
"""

from __future__ import annotations

from collections import Counter

from .base import Event, Format
from .columns import take_trailing
from .detect import EMBEDDED, LAST_RESORT, TRUSTED_AFTER, Detector, clean, starts_indented
from .said import take_said
from .timestamps import TimeContext

#: Characters of continuation lines kept in a message; further ones are counted (`lines`, `size`), not kept.
MESSAGE_LIMIT = 4 << 20
#: Bytes after which an event is ended although no new one began: `size` is a 32-bit number.
EVENT_LIMIT = 1 << 30
#: Rows that wait, below the first row with a time amid it, for a second one: with it they are continuation lines.
WAITING_LIMIT = 64
#: Where it is noted which columns a header row named.
HEADERS = ("w3c", "zeek")
#: What is noted of a file and holds for all of it: columns that a header named; whether its first row with a time said something
#: (`prose`), and was of text (`text_first`); whether rows lead with their time (`leading`) or have it within (`embedded`); whether JSON
#: records name theirs.
_LASTING = (*HEADERS, "w3c_date", "w3c_local", "zeek_path", "prose", "leading", "text_first", "embedded", "json_named")


class RowParser:
    """Reads the rows of one file; `events` answers those that are complete, `last_event` the one still open.

    `counts` has `lines`, `events`, `unparsed` (lines in events of no known format), `undated` (events without a time) and
    `format:NAME` (events by format). One parser serves one file; a file given in any pieces of whole lines has the
    same events. Formats given replace the built-in ones.
    """

    def __init__(
        self, context: TimeContext, source_hint: str = "", formats: tuple[Format, ...] | None = None
    ) -> None:
        self.context = context
        self.source_hint = source_hint
        self.counts: Counter[str] = Counter()
        self.detector = Detector(context, formats)
        self._open: Event | None = None
        self._format: Format | None = None
        self._parts: list[str] = []
        self._kept = 0
        self._timed = False  # an event with a time has been seen in this file
        self._headed = False  # an event without one, but of a known format, has been seen
        self._tentative = False  # one row has had a time amid it: a header's date, or the first of many
        self._waiting: list[tuple[str, int, int, int]] = []  # rows below it (text, line, offset, size) until it shows which of both
        self._waited = False
        self.indented = False  # events of this file begin with spaces
        self.counting = False  # its events are only counted: some columns are not asked for
        self.resting = 0  # blocks to be read row by row because reading by columns was of no use

    def resume(self, head: RowParser) -> None:
        """Makes this parser, which begins amid a file, know what another learnt from the file's first rows."""
        self.detector.take_over(head.detector)
        self._timed, self._headed, self.indented = head._timed, head._headed, head.indented
        self.context.state |= {key: value for key, value in head.context.state.items() if key in _LASTING}

    def ready_for(self, form: Format, text: str) -> bool:
        """Whether a row that this format reads would now begin an event of it: nothing else is asked first."""
        detector = self.detector
        trusted = form.priority < LAST_RESORT or detector.generic_run >= TRUSTED_AFTER
        asked_first = bool(detector.favourites) and detector.favourites[0] is form and trusted
        if not asked_first or self._open is None:
            return asked_first
        state = dict(self.context.state)  # formats note there that a row goes on: this one is asked again when it is read
        goes_on = self._continues(text)
        self.context.state.clear()
        self.context.state.update(state)
        return not goes_on

    def passed(self, form: Format, events: int, last: int) -> None:
        """Takes note of so many events of a format that were read by columns, the last one at this time."""
        self._format, self._timed, self.indented = form, True, False
        self.detector.passed(form, events)
        self.context.accept(last)

    @property
    def open_line(self) -> int:
        """The line at which the event began that the next one may go on, 0 when none is open."""
        return self._open.line if self._open is not None else 0

    def events(self, data: bytes, line: int, offset: int) -> list[Event]:
        """The events completed by whole lines (the file's last one may lack its line feed).

        `line` is the 1-based number of the first line, `offset` its byte offset in the unpacked text. One CR before a
        line feed is dropped here, so that offsets stay those of the text.
        """
        if not data:
            return []
        rows = data.split(b"\n")
        if not rows[-1]:
            rows.pop()
        self.detector.prepare(rows)
        done: list[Event] = []
        for row in rows:
            self._row(row, line, offset, done)
            line += 1
            offset += len(row) + 1
        return done

    def events_joined(self, data: bytes, line: int, offset: int) -> list[Event]:
        """What `events` does, for whole lines that begin no event, are plain ASCII and end in line feeds alone."""
        current = self._open
        lines = data.count(b"\n")
        takes = (self._timed or self._headed) and (self._format is None or self._format.continues is None)
        if current is None or not takes or self._kept + len(data) > MESSAGE_LIMIT or current.size + len(data) > EVENT_LIMIT:
            return self.events(data, line, offset)
        self._parts.append(data[:-1].decode("ascii"))
        self._kept += len(data)
        self.counts["lines"] += lines
        current.lines += lines
        current.size = offset + len(data) - 1 - current.offset
        return []

    def last_event(self) -> list[Event]:
        """The event still open at the end of the file, and rows that waited."""
        done: list[Event] = []
        self._settle(done, own=False)
        self._close(done)
        return done

    def _row(self, row: bytes, line: int, offset: int, done: list[Event]) -> None:
        self.counts["lines"] += 1
        text = (row[:-1] if row.endswith(b"\r") else row).decode("utf-8", "replace")
        current = self._open
        if current is not None and not self._waiting and self._continues(text):
            self._append(current, text, len(row), done, line, offset)
            return
        found = self._start(text, line)
        if found is not None:
            if self._waiting:
                self._settle(done, own=found[0].priority >= EMBEDDED and not self._awaiting())
            self._close(done)
            self._format, event = found
            self._open = event
        elif self._awaiting() and not self._waited:
            self._waiting.append((text, line, offset, len(row)))
            if len(self._waiting) > WAITING_LIMIT:
                self._settle(done, own=False)
            return
        elif current is not None and (self._timed or self._headed or self._several_rows()):
            self._append(current, text, len(row), done, line, offset)
            return
        else:
            self._close(done)
            self._format = None
            event = self._open = Event(None, clean(text))
            if text.strip():
                self.counts["unparsed"] += 1
        event.line, event.offset, event.size = line, offset, len(row)

    def _awaiting(self) -> bool:
        """Whether one row has had a time amid it and nothing has shown yet whether others do."""
        return self._tentative and not (self._timed or self._headed)

    def _settle(self, done: list[Event], *, own: bool) -> None:
        """Gives the waiting rows to the event above them where such rows are its own, else each is an event without a time."""
        waiting, self._waiting, self._waited = self._waiting, [], True
        for text, line, offset, size in waiting:
            current = self._open
            if current is not None and (own or self._continues(text)):
                self._append(current, text, size, done, line, offset)
            else:
                self._close(done)
                self._format = None
                self._open = Event(None, clean(text), line=line, offset=offset, size=size)
                self.counts["unparsed"] += bool(text.strip())

    def _continues(self, text: str) -> bool:
        """Whether the row belongs to the open event without asking what it is: by its format's word, or indented."""
        if self._format is not None and self._format.continues is not None and self._format.continues(text, self.context):
            return True
        if self.context.state.get("json_array") and text.lstrip(" \t")[:1] == "{":
            return False  # the next record of an array that is written below the first one
        known = self._timed or self._headed or self._tentative
        return known and not self.indented and text[:1] in (" ", "\t", "") and not starts_indented(text)

    def _several_rows(self) -> bool:
        """Whether the open event is of a format whose records span rows, so that untimed rows are its own."""
        return self._format is not None and self._format.close is not None

    def _is_particular(self) -> bool:
        """Whether the open event is of a format of its own, not of the one that takes any text with a time."""
        return self._format is not None and self._format.priority < LAST_RESORT

    def _start(self, text: str, line: int) -> tuple[Format, Event] | None:
        """The format and event that begin with this row, None for an untimed row."""
        seen = clean(text)
        bare = seen.lstrip(" \t")
        if not bare:
            return None
        context = self.context
        context.line = line
        found = self.detector.parse(bare)
        if found is None:
            return None
        form, event = found
        dated = event.time is not None or context.year_missing
        others = (self._timed or self._headed) if form.spans else (self._timed and form.close is None)
        records = form.spans and bare[:1] == "{" and context.state.get("text_first") is False  # among others of their kind
        if not dated and others and not records and form is not self._format and not form.alone:
            return None  # an untimed record amid timed rows of another format is what the row before it printed
        if self._timed and form.priority >= LAST_RESORT and not event.message.strip() and self._is_particular():
            return None  # a bare date amid rows of a known format is data, as in a multi-line SQL text
        context.accept(event.time)
        first_embedded = form.priority >= EMBEDDED and not context.state.get("embedded")
        if first_embedded:
            self._tentative = context.state["embedded"] = True
        elif dated:
            self._timed = True
            context.state.setdefault("prose", form.priority < LAST_RESORT or event.severity is not None)
            context.state.setdefault("text_first", event.format not in ("json", "json_rows", "ltsv", "logfmt"))
            if form.priority < EMBEDDED:
                context.state["leading"] = True
        if dated or event.severity is not None or event.fields:
            self._headed = self._headed or not first_embedded
            # padded numbers begin some rows with spaces, others not
            self.indented = self.indented or (len(bare) < len(seen) and not starts_indented(seen))
        return form, event

    def _append(
        self, current: Event, text: str, size: int, done: list[Event], line: int, offset: int
    ) -> None:
        """Adds a continuation line to the open event; one that has grown beyond all measure is ended."""
        if current.size + size + 1 > EVENT_LIMIT:
            self._close(done)
            self._format = None
            self._open = Event(None, clean(text), line=line, offset=offset, size=size)
            return
        current.lines += 1
        current.size = offset + size - current.offset
        if self._kept + len(text) <= MESSAGE_LIMIT:
            self._parts.append(text if "\x1b" not in text else clean(text))
            self._kept += len(text) + 1

    def _close(self, done: list[Event]) -> None:
        event = self._open
        if event is None:
            return
        if self._parts:
            event.message = "\n".join([event.message, *self._parts])
            self._parts = []
            self._kept = 0
        form = self._format
        if form is not None and form.close is not None:
            form.close(event, self.context)
        if event.request_id is None and event.method is None:
            take_trailing(event)
        take_said(event)
        self._open = None
        self.counts["events"] += 1
        self.counts["undated"] += event.time is None
        self.counts[f"format:{event.format or 'unknown'}"] += 1
        done.append(event)


