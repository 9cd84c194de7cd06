"""Formats whose rows are a stamp, a head and a message, by columns: each form of head is read once.

The head is what stands between the stamp and the first word of the message. Rows whose heads differ in digits only are one
kind: one row of it is read by the format itself, and where each value stood in that row it stands in all. A kind is sure
when reading its last row says the same. What looks like more than a message (a pair that fills a column, a level further on,
a mnemonic) is left to the format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..arrays import flags, holds, numbers, one, texts, values
from ..base import Event, Format
from ..detect import LAST_RESORT, parse_with
from ..tables import fields_text
from ..zones import PATTERN as ZONE
from .haproxy import SERVICE, headed, joined_fields, taken
from .kernel import Kernel, encode
from .rows import Mask, Plain, Positions, Rows, Stamps, Unsure, digits_alike, pc, read_stamps
from .words import by_kind, grouped, request_ids

if TYPE_CHECKING:
    from ..rowwise import RowParser
    from ..timestamps import TimeContext

_TAIL = re.compile(r"\(\?P<message>\.\*\)\$$")
_SYSLOG = r"^.{0,120}%[A-Z0-9_-]+-[0-7]-|\] \"|\bLEEF:\d|\bCEF:\d"
#: Formats that are no plain pattern: what in a row makes its message say more than its head does (RE2).
_SPECIAL: dict[str, str] = {
    "syslog": _SYSLOG,
    "syslog_iso": _SYSLOG,
    "text": r"\b(?i:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|FATAL|ALERT|EMERG|PANIC|VERBOSE|FINE|CONFIG)\b",
    "postgresql": "",
    "redis": "",
}
_SYSLOGS = ("syslog", "syslog_iso")
_TAGGED = 20  # bytes before the bracket that closes a tag's number
_STAMP = re.compile(
    r"(?:[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}[-/.]\d\d[-/.]\d\d[T _]\d\d:\d\d:\d\d(?:[.,]\d+)?|"
    r"\d\d[-/ ][A-Za-z]{3}[-/ ]\d{4}[: ]\d\d:\d\d:\d\d(?:[.,]\d+)?|\d\d/\d\d/\d\d \d\d:\d\d:\d\d|\d{2}\.\d{2}\.\d{4} \d\d:\d\d:\d\d(?:[.,]\d+)?)"
    rf"(?:{ZONE})?"
)
_WORTH = 3  # rows that a kind must have: reading it takes two
_MOST = 3000  # kinds of a block
_LOOKED = 40  # rows that tell how long heads are
_LONGEST = 400  # bytes of a head


def has_head(form: Format) -> bool:
    """Whether rows of this format are a stamp, a head and a message that is all the rest."""
    if form.continues is not None or form.close is not None:
        return False
    if form.name in _SPECIAL:
        return True
    return form.pattern is not None and form.parse is None and _TAIL.search(form.pattern.pattern) is not None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the rows of one kind have in common: values, or where in the row (from its start) they stand."""

    message: int
    severity: str | None
    values: tuple[str | None, ...]  # host, service
    spans: tuple[tuple[int, int], ...]  # of host, service, pid and the one field with digits; (0, 0) for none
    pid: int | None
    fields: tuple[str | None, str]  # text before and after that field's value
    proxied: bool = False  # messages are requests, of a service that puts them there


@dataclass(slots=True)
class _Found(Plain):
    source: Rows
    rows: Positions
    begins: Mask
    stamps: Stamps
    kinds: list[_Kind]
    kind: Positions
    form: Format
    message: Any = None
    request_id: Any = None
    requests: dict[str, Any] = field(default_factory=dict)

    def settle(self, end: Positions) -> Mask:
        """Which messages say nothing that fills another column; a request id is taken from where it stands."""
        start = self.source.start[self.rows]
        begin = start + np.array([kind.message for kind in self.kinds], np.int64)[self.kind]
        self.message = self.source.cut(np.minimum(begin, end), end)
        asked = np.ones(len(self.rows), np.bool_)
        proxied = np.array([kind.proxied for kind in self.kinds], np.bool_)[self.kind]
        doubtful = np.zeros(len(self.rows), np.bool_)
        if proxied.any():
            self.requests, doubtful = taken(self.message, proxied)
            asked = ~holds(pc.is_valid(self.requests["method"]))
            doubtful |= ~asked & (end != self.source.end[self.rows])
        self.request_id, hinting = request_ids(self.message, asked)
        sure: Mask = ~hinting & ~doubtful
        return sure

    def columns(self, picked: Positions) -> dict[str, pa.Array]:
        index = numbers(picked)
        kind = self.kind[picked]
        start = self.source.start[self.rows[picked]]
        number = numbers(kind)
        out: dict[str, Any] = {"message": self.message, "request_id": self.request_id}
        if len(picked) < len(self.rows):
            out = {name: column.take(index) for name, column in out.items()}
        out["severity"] = by_kind([k.severity for k in self.kinds], kind)
        for place, name in enumerate(("host", "service")):
            known = [k.values[place] for k in self.kinds]
            if any(k.spans[place][1] for k in self.kinds):
                out[name] = encode(self._spanned(place, kind, start, texts(known).take(number)))
            else:
                out[name] = by_kind(known, kind)
        pids = self._spanned(2, kind, start, pa.nulls(len(kind), pa.string()))
        out["pid"] = pids.cast(pa.int64())
        before = texts([k.fields[0] for k in self.kinds]).take(number)
        if before.null_count < len(before):
            inner = self._spanned(3, kind, start, texts([""] * len(self.kinds)).take(number))
            after = texts([k.fields[1] for k in self.kinds]).take(number)
            out["fields"] = pc.binary_join_element_wise(before, inner, after, one(""))
        requests = {name: part.take(index) for name, part in self.requests.items()}
        if requests:
            own = out.get("fields", pa.nulls(len(picked), pa.string()))
            out |= requests | {"fields": joined_fields(own, requests["fields"])}
        return out

    def _spanned(self, place: int, kind: Positions, start: Positions, otherwise: Any) -> Any:
        """The text at a kind's span where it has one, else the given values."""
        spans = np.array([k.spans[place] for k in self.kinds], np.int64)[kind]
        has = spans[:, 1] > 0
        if not has.any():
            return otherwise
        cut = self.source.cut(start + spans[:, 0], start + spans[:, 1])
        return cut if has.all() else pc.if_else(flags(has), cut, otherwise)


def find(rows: Rows, candidates: Mask, form: Format, parser: RowParser, line: int) -> _Found:
    """The rows whose heads are of a kind that was read by the format itself."""
    context = parser.context
    looked = (rows.row_text(int(at)) for at in np.flatnonzero(candidates)[:_LOOKED])
    samples = [sample for text in looked if (sample := _sample(text, form, context)) is not None]
    if not samples:
        raise Unsure("no row has a stamp and a head")
    before, stamp, _ = samples[0]
    words = max(sample[2] for sample in samples)
    at = np.flatnonzero(candidates)
    if form.first:
        at = at[np.isin(rows.data[rows.start[at]], np.frombuffer(form.first.encode(), np.uint8))]
    begin, end = rows.start[at], rows.end[at]
    lead = np.full(len(at), before)
    data, top = rows.data, len(rows.data) - 1
    if before and data[rows.start[at[0]]] == 60:  # <PRI> has one to three digits
        lead = rows.first_after(rows.places(62), begin, np.minimum(begin + 5, end)) - begin + 1
    rest = begin + lead + len(stamp)
    ok = (rest < end) & (data[np.minimum(end - 1, top)] != 32) & (data[np.minimum(end - 1, top)] != 9)
    stamps = read_stamps(rows, np.minimum(begin + lead, end), stamp, context, line)
    ok &= stamps.sound
    rest = np.minimum(rest, end)
    spaces = rows.places(32)
    index = np.searchsorted(spaces, rest) + words
    head = np.where(index < len(spaces), spaces[np.minimum(index, len(spaces) - 1)], len(data)) if len(spaces) else end
    head = np.minimum(np.minimum(head, end), rest + _LONGEST)
    if form.name in _SYSLOGS and SERVICE.encode() in rows.text:  # the client with which such a message begins is of endless forms
        close = rows.first_after(rows.places(93), rest, head)
        tagged = holds(pc.match_substring_regex(rows.cut(np.maximum(rest, close - _TAGGED), np.minimum(close + 3, head)), rf" {SERVICE}\[\d+\]: "))
        head = np.where(tagged, np.minimum(close + 4, head), head)
    # what comes next decides whether the word before it was a logger's name
    turn = (data[np.minimum(head + 1, top)] == 45) & (data[np.minimum(head + 2, top)] == 32)
    heads = encode(digits_alike(rows.cut(rest, head)))
    leads = encode(rows.cut(begin, begin + lead)) if before else None
    code = values(heads.indices).astype(np.int64) * 4 + turn + 2 * (head == end)
    if leads is not None:
        code = code * len(leads.dictionary) + values(leads.indices)
    told = _special(rows, at, rest, end, form)
    if form.name == "text":
        told &= ~_has_level(rows, rest, head)
    ok &= ~told
    if not ok.any():
        raise Unsure("no row has a stamp as the first one")
    _, kind = grouped(code)
    early, late, worth = _ends_of(kind, ok)
    head_ok, begin_ok, kinds = np.zeros(len(worth), np.bool_), np.zeros(len(worth), np.bool_), []
    size = head - rows.start[at]
    for number in range(len(worth)):
        read = None
        if worth[number]:
            first, last = int(early[number]), int(late[number])
            text = rows.row_text(int(at[first]))
            event, assumed = event_alone(text, form, context)
            event = event if event is None else headed(event)
            begin_ok[number] = event is not None and (event.time, assumed) == stamps.told(first)
            read = _read(text, event, int(size[first]), form) if begin_ok[number] else None
            if read is not None and last != first:
                text = rows.row_text(int(at[last]))
                read = read if _says_the_same(text, read, stamps.told(last), form, context) else None
            head_ok[number] = read is not None
        kinds.append(read or _Kind(0, None, (None, None), ((0, 0),) * 4, None, (None, "")))
    kept = np.flatnonzero(ok & head_ok[kind])
    begins = np.zeros(len(rows), np.bool_)
    begins[at[stamps.sound & begin_ok[kind]]] = True
    return _Found(rows, at[kept], begins, stamps.pick(kept), kinds, kind[kept], form)


def _ends_of(kind: Positions, ok: Mask) -> tuple[Positions, Positions, Mask]:
    """The first and the last sound row of each kind, and whether it has rows enough to be worth its reading.

    Of more kinds than a block may have those with the fewest rows are left to the format.
    """
    count = int(kind.max()) + 1
    places = np.flatnonzero(ok)
    many = np.bincount(kind[places], minlength=count)
    late, early = np.zeros(count, np.int64), np.zeros(count, np.int64)
    late[kind[places]] = places
    early[kind[places[::-1]]] = places[::-1]
    worth = many >= _WORTH
    if np.count_nonzero(worth) > _MOST:
        worth &= many > np.sort(many)[-_MOST]
    return early, late, worth


def _special(rows: Rows, at: Positions, rest: Positions, end: Positions, form: Format) -> Mask:
    """Rows whose text behind the stamp says more than the head does."""
    told = np.zeros(len(at), np.bool_)
    pattern = _SPECIAL.get(form.name, "")
    if not pattern:
        return told
    asked = np.arange(len(at))
    if pattern == _SYSLOG:  # such rows are few, and have marks that others lack
        quotes, data = rows.places(34), rows.data
        quotes = quotes[(data[quotes - 1] == 32) & (data[quotes - 2] == 93)]
        asked = np.flatnonzero((rows.holding(rows.places(37)) | rows.holding(quotes))[at])
    if len(asked):
        told[asked] = holds(pc.match_substring_regex(rows.cut(rest[asked], end[asked]), pattern))
    return told


def _has_level(rows: Rows, rest: Positions, head: Positions) -> Mask:
    """Rows of the generic format with a level in their head: a later one changes nothing."""
    return holds(pc.match_substring_regex(rows.cut(rest, head), r"^[\])>\"'\s|:,;-]*[\[(<|*]*\s*" + _LEVEL_WORD + r"[\s\])>|*:,;-]"))


_LEVEL_WORD = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|FATAL|ALERT|EMERG|PANIC)"


def event_alone(text: str, form: Format, context: TimeContext) -> tuple[Event | None, tuple[str, ...]]:
    """What the format makes of a row and what it assumed, without leaving a trace in the context."""
    anchor, before = context._anchor, context._before
    counts = context.counts.copy()
    context.begin()
    event = parse_with(form, text, context)
    kinds = context._kinds
    context.begin()
    context._anchor, context._before = anchor, before
    context.counts = counts
    return event, kinds


def _sample(text: str, form: Format, context: TimeContext) -> tuple[int, str, int] | None:
    """Where a row's stamp begins, the stamp, and how many spaces lie between it and the end of the message's first word."""
    event, _ = event_alone(text, form, context)
    if event is None or event.time is None or not event.message or not text.endswith(event.message):
        return None
    stamp = _STAMP.search(text, 0, 80)
    if stamp is None or stamp.end() >= len(text) - len(event.message):
        return None
    between = text[stamp.end() : len(text) - len(event.message)]
    return stamp.start(), stamp[0], between.count(" ")


def _read(text: str, event: Event | None, head: int, form: Format) -> _Kind | None:
    """What a row of a kind says, as places in the row; None when that is more than a head tells."""
    if event is None or event.time is None or not text.endswith(event.message):
        return None
    message = len(text) - len(event.message)
    more = (event.client, event.method, event.path, event.status, event.bytes, event.duration, event.upstream, event.request_id)
    if any(value is not None for value in more) or message >= head:
        return None
    if form.priority >= LAST_RESORT and not event.message.strip():
        return None
    if form.name == "text" and event.severity is None and len(event.fields):
        return None
    before = text[:message]
    named: list[str | None] = []
    spans: list[tuple[int, int]] = []
    for value in (event.host, event.service):
        if value is None or not re.search(r"\d", value):
            named.append(value)
            spans.append((0, 0))
            continue
        at = before.find(value)
        if at < 0 or before.find(value, at + 1) >= 0:
            return None
        named.append(None)
        spans.append((at, at + len(value)))
    if event.pid is None:
        spans.append((0, 0))
    else:
        digits = str(event.pid)
        places = [m.span() for m in re.finditer(rf"(?<!\d){digits}(?!\d)", before)]
        marked = [place for place in places if before[place[0] - 1 : place[0]] in ("[", "#", "=")] if len(places) > 1 else places
        if len(marked) != 1:
            return None
        spans.append(marked[0])
    varying = [key for key, value in event.fields.items() if re.search(r"\d", str(value))]
    fields = fields_text(event.fields)
    if len(varying) > 1 or (varying and not isinstance(event.fields[varying[0]], str)):
        return None
    if not varying or fields is None:
        return _Kind(message, event.severity, tuple(named), (*spans, (0, 0)), event.pid, (fields, ""), event.service == SERVICE)
    value = event.fields[varying[0]]
    at = before.find(value)
    if at < 0 or before.find(value, at + 1) >= 0 or fields.count(f'"{value}"') != 1 or re.search(r'["\\]', value):
        return None
    inside = fields.index(f'"{value}"') + 1
    return _Kind(
        message, event.severity, tuple(named), (*spans, (at, at + len(value))), event.pid,
        (fields[:inside], fields[inside + len(value) :]), event.service == SERVICE,
    )  # fmt: skip


def _says_the_same(
    text: str, kind: _Kind, told: tuple[int, tuple[str, ...]], form: Format, context: TimeContext
) -> bool:
    """Whether another row of a kind is read as the kind and its stamp say."""
    event, assumed = event_alone(text, form, context)
    event = event if event is None else headed(event)
    if event is None or (event.time, assumed) != told or event.message != text[kind.message :] or event.severity != kind.severity:
        return False
    said = [text[one:two] if two else None for one, two in kind.spans]
    texts = [said[0] or kind.values[0], said[1] or kind.values[1]]
    if [event.host, event.service] != texts or event.pid != (int(said[2]) if said[2] else None):
        return False
    fields = None if kind.fields[0] is None else kind.fields[0] + (said[3] or "") + kind.fields[1]
    return fields_text(event.fields) == fields and event.client is None and event.method is None and event.status is None


HEADS = Kernel(find)
__all__ = ["HEADS", "event_alone", "has_head"]
