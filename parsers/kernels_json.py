"""JSON lines by columns: records of the same skeleton are read once, and cut where their quotes stand.

A skeleton is a row without the contents of its string values and the digits of its numbers. Within one, the values that
decide which key fills which column (levels, methods, status codes) are told apart as well. One record of each such kind is read by the
format itself; where its columns came from is where they stand in all. A kind is sure when its last record says the same. Rows
with escapes, and numbers that `json.dumps` would write otherwise, are left to the format.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .arrays import flags, holds, numbers, one, texts, values
from .base import Format
from .formats.json_lines import SENSITIVE_KEYS
from .kernels import Kernel, encode
from .kernels_heads import event_alone
from .kernels_rows import Mask, Positions, Rows, Stamps, Unsure, pc, read_stamps
from .tables import fields_text

if TYPE_CHECKING:
    from .blocks import BlockParser
    from .timestamps import TimeContext

_KINDS = 0.1  # more kinds than this share of the rows are not worth it
_FEW = 300
_TEXTS = ("host", "service", "message", "client", "path", "upstream", "request_id", "method")
_NUMBERS = ("pid", "bytes", "duration")
#: Numbers that `json.dumps` writes in another way: trailing or missing zeros, exponents, more digits than a double tells.
_RESTYLED = r"[:,\[ ](?:-?(?:[0-9]+\.[0-9]+0[,}\]]|[0-9.]{16,}[,}\]]|0\.0000|[0-9.]+[eE])|-0[,}\]])"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?$")


@dataclass(frozen=True, slots=True)
class _Token:
    """A top-level member of a record: its key, where the key's quotes are among the row's, and its value as written."""

    key: str
    quote: int  # number of the key's opening quote
    value: str
    text: str | None  # the value where it is a string


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where a kind's columns stand: the number of the quote before a value's key, -1 for none, or a constant."""

    severity: str | None
    status: int | None
    consts: tuple[str | None, ...]  # of _TEXTS
    quotes: tuple[int, ...]  # of _TEXTS: opening quote of the value; -2: the whole row
    numbers: tuple[tuple[int, int], ...]  # of _NUMBERS: opening quote of the key, and of the next one (-1: there is none)
    divisor: float
    stamp: int  # opening quote of the stamp
    leading: tuple[str, ...]  # of each left-over member: the text before its value
    left: tuple[tuple[int, int], ...]  # of each: those quotes
    gap: int  # spaces after a colon and a comma


def tokens(text: str) -> list[_Token] | None:
    """The members of a record in order; None where it is not written in one of the two usual styles, or a key stands twice."""
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except ValueError:
        return None
    gap = " " if re.match(r'\{"[^"]*": ', text) else ""
    out: list[_Token] = []
    at, quotes = 1, 0
    for key, value in pairs:
        lead = f"{json.dumps(key, ensure_ascii=False)}:{gap}"
        if not text.startswith(lead, at) or any(key == token.key for token in out):
            return None
        _, end = json.JSONDecoder().raw_decode(text, at + len(lead))
        written = text[at + len(lead) : end]
        if gap and isinstance(value, list) and value:
            return None  # a nested value would have to be written again without its spaces
        out.append(_Token(key, quotes, written, value if isinstance(value, str) else None))
        quotes += lead.count('"') + written.count('"')
        at = end + 1 + len(gap)
    return out if out and text.endswith(out[-1].value + "}") else None


def _kind(text: str, form: Format, context: TimeContext, stamp: tuple[int, tuple[str, ...]] | None, sample: str) -> _Kind | None:
    event, assumed = event_alone(text, form, context)
    members = tokens(text)
    if event is None or members is None or event.time is None or (stamp is not None and (event.time, assumed) != stamp):
        return None
    gap = 1 if re.match(r'\{"[^"]*": ', text) else 0
    stamped = [m for m in members if m.text is not None and len(m.text) == len(sample) and m.key not in event.fields]
    stamped = [m for m in stamped if m.text is not None and re.sub(r"\d", "0", m.text) == re.sub(r"\d", "0", sample)]
    if len(stamped) != 1:
        return None
    used = {stamped[0].key}
    consts: list[str | None] = []
    quotes: list[int] = []
    for name in _TEXTS:
        said = getattr(event, name)
        if said is None or said == "":
            consts.append(said)
            quotes.append(-1)
            continue
        if name == "message" and said == text:
            consts.append(None)
            quotes.append(-2)
            continue
        found = [m for m in members if m.text == said and m.key not in used and m.key not in event.fields]
        if len(found) != 1:
            return None
        used.add(found[0].key)
        consts.append(None)
        quotes.append(found[0].quote + 2)
    spots: list[tuple[int, int]] = []
    after = {m.key: n.quote for m, n in pairwise(members)}
    divisor = 1.0
    for name in _NUMBERS:
        said = getattr(event, name)
        if said is None:
            spots.append((-1, -1))
            continue
        found = [m for m in members if _NUMBER.match(m.value) and m.key not in used and m.key not in event.fields]
        options = [(m, d) for m in found for d in ((1.0, 1e3, 1e6, 1e9) if name == "duration" else (1.0,)) if float(m.value) / d == said]
        if len(options) != 1 or (name == "duration" and said == 0):
            return None
        used.add(options[0][0].key)
        divisor = options[0][1] if name == "duration" else divisor
        spots.append((options[0][0].quote, after.get(options[0][0].key, -1)))
    leading, left = [], []
    kept = [m for m in members if m.key in event.fields]
    if list(event.fields) != [m.key for m in kept]:
        return None
    for number, member in enumerate(kept):
        leading.append(("{" if not number else ",") + json.dumps(member.key, ensure_ascii=False) + ":")
        left.append((member.quote, after.get(member.key, -1)))
    if fields_text(event.fields) != (("".join(a + m.value for a, m in zip(leading, kept, strict=True)) + "}") if kept else None):
        return None
    return _Kind(
        event.severity, event.status, tuple(consts), tuple(quotes), tuple(spots), divisor, stamped[0].quote + 2, tuple(leading),
        tuple(left), gap,
    )  # fmt: skip


@dataclass(slots=True)
class _Found:
    source: Rows
    rows: Positions
    begins: Mask
    stamps: Stamps
    kinds: list[_Kind]
    kind: Positions
    first: Positions  # number of each row's first quote

    def settle(self, end: Positions) -> Mask:
        """A record that another row goes on has a message of its own making."""
        alone: Mask = end == self.source.end[self.rows]
        return alone

    def columns(self, picked: Positions) -> dict[str, pa.Array]:
        source, kind, first = self.source, self.kind[picked], self.first[picked]
        quotes = source.places(34)
        start, end = source.start[self.rows[picked]], source.end[self.rows[picked]]
        number = numbers(kind)
        out: dict[str, Any] = {"severity": encode(texts([k.severity for k in self.kinds]).take(number))}
        status = np.array([k.status or 0 for k in self.kinds], np.int16)[kind]
        out["status"] = pc.if_else(flags(status > 0), numbers(status), pa.nulls(len(status), pa.int16()))
        for place, name in enumerate(_TEXTS):
            spot = np.array([k.quotes[place] for k in self.kinds], np.int64)[kind]
            known = texts([k.consts[place] for k in self.kinds]).take(number)
            here = spot >= 0
            at = np.where(here, first + spot, first)
            begin = np.where(here, quotes[at] + 1, start)
            stop = np.where(here, quotes[np.minimum(at + 1, len(quotes) - 1)], end)
            column = pc.if_else(flags(spot != -1), source.cut(begin, stop), known)
            out[name] = encode(column) if name not in ("message", "path", "request_id") else column
        gap = np.array([k.gap for k in self.kinds], np.int64)[kind]
        for place, name in enumerate(_NUMBERS):
            spot, following = np.array([k.numbers[place] for k in self.kinds], np.int64)[kind].T
            text = pc.if_else(flags(spot >= 0), self._value(spot, following, first, gap, end), one(None))
            if name == "duration":
                divisor = numbers(np.array([k.divisor for k in self.kinds], np.float64)[kind])
                out[name] = pc.divide(text.cast(pa.float64()), divisor)
            else:
                out[name] = text.cast(pa.int64())
        most = max(len(k.left) for k in self.kinds)
        pieces: list[Any] = []
        for place in range(most):
            spot, following = np.array([k.left[place] if place < len(k.left) else (-1, -1) for k in self.kinds], np.int64)[kind].T
            lead = texts([k.leading[place] if place < len(k.left) else "" for k in self.kinds]).take(number)
            pieces += [lead, pc.if_else(flags(spot >= 0), self._value(spot, following, first, gap, end), one(""))]
        if pieces:
            some = np.array([bool(k.left) for k in self.kinds], np.bool_)[kind]
            out["fields"] = pc.if_else(flags(some), pc.binary_join_element_wise(*pieces, one("}"), one("")), one(None))
        return out

    def _value(self, spot: Positions, following: Positions, first: Positions, gap: Positions, end: Positions) -> Any:
        """The value of the member whose key opens at a quote, as written: up to the next key, or the closing brace."""
        quotes = self.source.places(34)
        begin = quotes[first + np.maximum(spot, 0) + 1] + 2 + gap
        stop = np.where(following < 0, end - 1, quotes[first + np.maximum(following, 0)] - 1 - gap)
        return self.source.cut(begin, np.maximum(begin, stop))


def find(rows: Rows, candidates: Mask, form: Format, parser: BlockParser, line: int) -> _Found:
    """The records whose skeleton was read by the format itself."""
    context = parser.context
    data, quotes = rows.data, rows.places(34)
    first = np.searchsorted(quotes, rows.start)
    count = np.diff(np.append(first, len(quotes)))
    usable = candidates & (count > 0) & (count % 2 == 0) & (data[rows.start] == 123) & (data[np.maximum(rows.end - 1, 0)] == 125)
    if b"\\" in rows.text:
        usable &= ~rows.holding(rows.places(92))
    if b"\t" in rows.text:
        usable &= ~rows.holding(rows.places(9))
    at = np.flatnonzero(usable)
    if not len(at):
        raise Unsure("no record is written plainly")
    skeletons = _skeletons(rows, quotes, first, count, usable)
    skeleton = code = values(skeletons.indices).astype(np.int64)
    members = {number: tokens(rows.row_text(int(at[place]))) for number, place in zip(*np.unique(skeleton, return_index=True), strict=True)}
    most = max((sum(m.key in SENSITIVE_KEYS for m in found or ()) for found in members.values()), default=0)
    for place in range(most):
        told = {number: [m for m in found or () if m.key in SENSITIVE_KEYS][place : place + 1] for number, found in members.items()}
        spot = np.array([told[number][0].quote if told[number] else 0 for number in range(len(told))], np.int64)[skeleton]
        begin = quotes[first[at] + spot + 1]
        said = encode(rows.cut(begin, np.minimum(begin + 12, rows.end[at])))
        code = np.unique(code * len(said.dictionary) + values(said.indices), return_inverse=True)[1].reshape(-1)
    _, head, kind = np.unique(code, return_index=True, return_inverse=True)
    if len(head) > max(_FEW, _KINDS * len(at)):
        raise Unsure("too many kinds of record")
    return _settled(rows, at, first, head, kind.reshape(-1), form, context, line)


def _settled(
    rows: Rows, at: Positions, first: Positions, head: Positions, kind: Positions, form: Format, context: TimeContext, line: int
) -> _Found:  # fmt: skip
    """Reads a record of each kind, and checks it against the stamps and the kind's last record."""
    quotes = rows.places(34)
    last = np.zeros(len(head), np.int64)
    last[kind] = np.arange(len(at))
    raw = [rows.row_text(int(at[place])) for place in head.tolist()]
    sample = next((m.text for text in raw for m in tokens(text) or () if m.text and _STAMPED.match(m.text)), None)
    if sample is None:
        raise Unsure("no record has a stamp as text")
    guess = [_kind(text, form, context, None, sample) for text in raw]
    opening = np.array([0 if k is None else k.stamp for k in guess], np.int64)[kind]
    stamps = read_stamps(rows, quotes[first[at] + opening] + 1, sample, context, line)
    kinds: list[_Kind | None] = []
    for early, late, text, guessed in zip(head.tolist(), last.tolist(), raw, guess, strict=True):
        read = _kind(text, form, context, stamps.told(early), sample) if guessed is not None else None
        if read is not None and _kind(rows.row_text(int(at[late])), form, context, stamps.told(late), sample) != read:
            read = None
        kinds.append(read)
    sure = stamps.sound & np.array([k is not None for k in kinds], np.bool_)[kind]
    width = quotes[first[at] + opening + 1] - quotes[first[at] + opening] - 1
    sure &= width == len(sample)
    sure &= ~holds(pc.match_substring_regex(rows.cut(rows.start[at], rows.end[at]), _RESTYLED))
    none = _Kind(None, None, (None,) * len(_TEXTS), (-1,) * len(_TEXTS), ((-1, -1),) * len(_NUMBERS), 1.0, 0, (), (), 0)
    begins = np.zeros(len(rows), np.bool_)
    begins[at[sure]] = True
    return _Found(rows, at[sure], begins, stamps.pick(sure), [k or none for k in kinds], kind[sure], first[at][sure])


_STAMPED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def _skeletons(rows: Rows, quotes: Positions, first: Positions, count: Positions, usable: Mask) -> Any:
    """Each usable row without the contents of its string values (of three bytes and more) and the digits of its numbers."""
    data = rows.data
    inside = np.zeros(len(quotes), np.bool_)
    row_of = np.repeat(np.arange(len(rows)), count)
    inside[:] = usable[row_of] if len(row_of) == len(quotes) else False
    opening = np.flatnonzero(inside & ((np.arange(len(quotes)) - first[row_of]) % 2 == 0))
    begin, end = quotes[opening], quotes[opening + 1]
    is_value = data[np.minimum(end + 1, len(data) - 1)] != 58
    text = np.zeros(len(data) + 1, np.int8)
    text[begin] += 1
    text[end] -= 1
    quoted = np.cumsum(text[:-1], dtype=np.int8) > 0
    content = np.zeros(len(data) + 1, np.int8)
    long = is_value & (end - begin > 3)
    np.add.at(content, begin[long] + 1, 1)
    np.add.at(content, end[long], -1)
    kept = ~(np.cumsum(content[:-1], dtype=np.int8) > 0)
    kept &= quoted | ((data - np.uint8(48)) >= 10)
    lengths = np.add.reduceat(kept, rows.start, dtype=np.int64) if len(rows) else np.zeros(0, np.int64)
    ends = np.cumsum(lengths)
    short = Rows(data[kept].tobytes())
    whole = short.cut(ends - lengths, ends) if len(ends) else pa.nulls(0, pa.string())
    return encode(whole.filter(flags(usable)))


JSON = Kernel(find, joins=True)
__all__ = ["JSON"]
