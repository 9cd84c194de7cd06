"""JSON lines by columns: records of the same skeleton are read once, and cut where their quotes stand.

A skeleton is a row without the contents of its string values and the digits of its numbers. Within one, the values that
decide which key fills which column (levels, methods, status codes) are told apart as well. One record of each such kind is read by the
format itself; where its columns came from is where they stand in all. A kind is sure when its last record says the same. Rows
with escaped halves of characters or control characters, numbers that `json.dumps` would write otherwise, and kinds
of which there are only a few, are left to the format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..arrays import flags, holds, numbers, one, optional, texts, values
from ..base import Format
from ..formats.json_lines import SENSITIVE_KEYS
from .json_kinds import (
    LONGEST_MADE,
    NUMBERS,
    REQUEST,
    TEXTS,
    WHOLE,
    Kind,
    Token,
    everything,
    kind_of,
    sample_of,
    tokens,
)
from .kernel import Kernel, encode
from .rows import (
    Mask,
    Plain,
    Positions,
    Rows,
    Stamps,
    Unsure,
    bytes_of,
    numeric_stamps,
    pc,
    read_stamps,
)
from .words import Text, by_kind, collapsed, grouped, mixed, request_ids

if TYPE_CHECKING:
    from ..rowwise import RowParser
    from ..timestamps import TimeContext

_WORTH = 4  # records that a kind must have: reading one by the format costs more than reading a few rows one by one
_MOST = 2000  # kinds of a block
_TOLD = 12  # bytes of a value that decides what others mean
#: What is only numbers outside of quotes, but written otherwise by `json.dumps`: trailing or missing zeros, exponents, more digits
#: than a double tells.
_RESTYLED = r"\.[0-9]+0(?:[^0-9]|$)|[0-9.]{16}|0\.0000|[0-9.][eE]|-0(?:[^0-9.]|$)"
#: Forms of text between strings that may hold such a number, a run of digits being one 0.
_ODD = re.compile(r"0\.|[eE]|-0")
_SIMPLE = np.zeros(256, np.bool_)
_SIMPLE[list(b'"\\/nrtbf')] = True
_MEANT = np.arange(256, dtype=np.uint8)
_MEANT[list(b"nrtbf")] = list(b"\n\r\t\b\f")
_HEX = np.full(256, -1)
_HEX[list(b"0123456789")] = range(10)
_HEX[list(b"abcdef")] = _HEX[list(b"ABCDEF")] = range(10, 16)


class _Edited:
    """A block's text with some bytes written over and some left out, cut by positions in the block as it was."""

    def __init__(self, data: Any, dropped: list[Positions]) -> None:
        kept = np.ones(len(data), np.bool_)
        for places in dropped:
            kept[places] = False
        self._gone = np.flatnonzero(~kept)
        self._rows = Rows(data[kept].tobytes())

    def cut(self, begin: Positions, end: Positions) -> Any:
        """The texts between two positions of every row."""
        gone = self._gone
        return self._rows.cut(begin - np.searchsorted(gone, begin), end - np.searchsorted(gone, end))


class _Escapes:
    """Where a block has escapes, and its text with them undone (`said`), or written as `json.dumps` writes them (`written`).

    `awkward` are the places of those that are left to the format: halves of a character, control characters, and no escapes at all.
    """

    def __init__(self, rows: Rows) -> None:
        data, slash = rows.data, rows.places(92)
        number = np.arange(len(slash))
        begun = np.append(True, slash[1:] != slash[:-1] + 1)
        turn = number - np.maximum.accumulate(np.where(begun, number, 0))
        first = slash[turn % 2 == 0]  # the others are what is escaped
        ending = first[first + 6 >= len(data)]  # too near the end to look at what follows
        first = first[: len(first) - len(ending)]
        self.meant: Positions = first + 1
        letter = data[self.meant]
        named, coded = _SIMPLE[letter], letter == 117
        digits = [_HEX[data[first[coded] + k]] for k in range(2, 6)]
        code = (digits[0] << 12) | (digits[1] << 8) | (digits[2] << 4) | digits[3]
        whole = (code >= 32) & ((code < 0xD800) | (code > 0xDFFF)) & (np.min(digits, axis=0) >= 0)
        wrong = ~named
        wrong[coded] = ~whole
        self.awkward: Positions = np.append(first[wrong], ending)
        at, code = first[coded][whole], code[whole]
        said = data.copy()
        said[self.meant[named]] = _MEANT[letter[named]]
        dropped = [first[named]]
        for size, low, high in ((1, 0, 0x80), (2, 0x80, 0x800), (3, 0x800, 1 << 16)):
            here = (low <= code) & (code < high)
            place, value = at[here], code[here]
            for k in range(size):  # the bytes of UTF-8, from the last one on
                lead = (0, 0xC0, 0xE0)[size - 1] if k == size - 1 else 0x80
                said[place + 5 - k] = lead | ((value >> 6 * k) & (0x3F if size > 1 else 0x7F))
            dropped += [place + k for k in range(6 - size)]
        self.said = _Edited(said, dropped)
        self.written: _Edited | Rows = rows
        slashed = letter == 47
        if len(at) or slashed.any():
            kept = np.isin(code, (34, 92))
            written = data.copy()
            for place in at + 3, at + 4, at + 5:
                written[place] = said[place]
            written[at[kept] + 4] = 92
            # what was left out for `said` is left out here as well, but for escapes that stay and the backslash of those two
            gone = np.setdiff1d(np.concatenate(dropped[1:]), at[kept] + 4)
            self.written = _Edited(written, [first[slashed], gone])


class Records:
    """The rows of a block that are one object each with balanced quotes: `at` (rows), and where their quotes stand."""

    at: Positions
    count: Positions  # quotes of each row
    quotes: Positions
    first: Positions  # number of each row's first quote
    said: _Edited | Rows
    written: _Edited | Rows

    def __init__(self, rows: Rows, candidates: Mask) -> None:
        self.rows = rows
        data, quotes = rows.data, rows.places(34)
        usable = candidates & (data[rows.start.clip(max=len(data) - 1)] == 123) & (data[np.maximum(rows.end - 1, 0)] == 125)
        if b"\t" in rows.text:
            usable &= ~rows.holding(rows.places(9))
        self.said = self.written = rows
        if b"\\" in rows.text:
            escapes = _Escapes(rows)
            self.said, self.written = escapes.said, escapes.written
            usable &= ~rows.holding(escapes.awkward)
            escaped = np.zeros(len(data), np.bool_)
            escaped[escapes.meant] = True
            quotes = quotes[~escaped[quotes]]
        first = np.searchsorted(quotes, rows.start)
        count = np.diff(np.append(first, len(quotes)))
        usable &= (count > 0) & (count % 2 == 0)
        usable &= quotes[np.minimum(first, len(quotes) - 1)] == rows.start + 1 if len(quotes) else False
        self.at = np.flatnonzero(usable)
        self.count = count[usable]
        self.quotes = quotes[np.repeat(usable, count)]
        self.first = np.cumsum(self.count) - self.count

    @property
    def escaped(self) -> bool:
        """Whether any string has escapes."""
        return self.said is not self.rows

    def keys(self) -> Mask:
        """Which strings are keys: those with a colon behind them."""
        data = self.rows.data
        return np.asarray(data[np.minimum(self.quotes[1::2] + 1, len(data) - 1)] == 58)

    def between(self, row: Positions) -> tuple[Any, Mask, Mask]:
        """What stands between strings, digits aside, as numbers; which records have no number that JSON forbids, and which no restyled one."""
        return _gaps(self, row)

    def members(self, text: str) -> list[Token] | None:
        """The members of one record."""
        return tokens(text)

    def gaps(self) -> tuple[Positions, Positions]:
        """Where the text between a string and the next one, or the end of the row, begins and ends."""
        begin = self.quotes[1::2] + 1
        end = np.append(self.quotes[2::2], 0)
        last = (self.first + self.count) // 2 - 1
        end[last] = self.rows.end[self.at]
        return begin, end


@dataclass(slots=True)
class Found(Plain):
    records: Records
    rows: Positions
    begins: Mask
    stamps: Stamps
    kinds: list[Kind]
    kind: Positions
    first: Positions  # number of each row's first quote
    message: Any = None
    request_id: Any = None
    closing = "}"

    def settle(self, end: Positions) -> Mask:
        """A record that another row goes on has a message of its own making; one that hints at more is left to the format."""
        source = self.records.rows
        sure: Mask = end == source.end[self.rows]
        self.message = self._said()
        told = np.array([k.told for k in self.kinds], np.bool_)[self.kind]
        self.request_id, hinting = request_ids(self.message, ~told)
        sure &= ~hinting
        everything = np.arange(len(self.rows))
        for place, name in enumerate(TEXTS):
            spot, begin, stop = self._spots(place, everything)
            here = spot >= 0
            if not here.any():
                continue
            if name == "path":
                if not self.records.escaped:
                    sure &= ~here | (source.data[begin] == 47)
                if self.records.escaped or b"://" in source.text:
                    path = self.records.said.cut(begin, np.where(here, stop, begin))
                    sure &= ~here | holds(pc.match_substring_regex(path, r"^/")) & ~holds(pc.match_substring_regex(path, r"^.{0,9}://"))
            elif name == "client":
                clients = encode(source.cut(begin, stop))
                ported = holds(pc.match_substring_regex(clients.dictionary, r"[\d\]]:\d+$"))
                sure &= ~here | ~ported[values(clients.indices)]
            elif name in ("host", "service"):
                sure &= ~here | (stop - begin < 300)
            elif name == "message":
                made = np.array([k.made for k in self.kinds], np.bool_)[self.kind]  # the format cuts it short
                sure &= ~(here & made) | ((stop - begin <= LONGEST_MADE) & (source.data[begin] != 32) & (source.data[begin] != 92))
        return sure

    def columns(self, picked: Positions) -> dict[str, pa.Array]:
        """The columns of the picked records."""
        kind, first = self.kind[picked], self.first[picked]
        all_of_them = len(picked) == len(self.rows)
        out: dict[str, Any] = {"severity": by_kind([k.severity for k in self.kinds], kind)}
        out["status"] = optional([k.status for k in self.kinds], pa.int16()).take(numbers(kind))
        for place, name in enumerate(TEXTS):
            if name == "message":
                out[name] = self.message if all_of_them else self.message.take(numbers(picked))
            elif name in ("path", "request_id"):
                out[name] = self._text(place, picked)
            else:
                out[name] = self._encoded(place, picked)
        asked = self.request_id if all_of_them else self.request_id.take(numbers(picked))
        out["request_id"] = pc.coalesce(out["request_id"], asked)
        gap = np.array([k.gap for k in self.kinds], np.int64)[kind]
        end = self.records.rows.end[self.rows[picked]]
        for place, name in enumerate(NUMBERS):
            spot, following, before = np.array([k.numbers[place] for k in self.kinds], np.int64)[kind].T
            if not (spot >= 0).any():
                continue
            text = self._value(first + np.maximum(spot, 0) + 1, 2 + gap, first, following, before, end)
            text = text if (spot >= 0).all() else pc.if_else(flags(spot >= 0), text, one(None))
            if name == "duration":
                divisor = numbers(np.array([k.divisor for k in self.kinds], np.float64)[kind])
                out[name] = pc.divide(text.cast(pa.float64()), divisor)
            else:
                out[name] = text.cast(pa.int64())
        most = max(len(k.left) for k in self.kinds)
        pieces: list[Any] = []
        number = numbers(kind)
        for place in range(most):
            left = [k.left[place] if place < len(k.left) else (-1, -1, 0) for k in self.kinds]
            spot, following, whole = np.array(left, np.int64)[kind].T
            at = first + np.maximum(spot, 0) + np.where(whole > 0, 0, 1)
            text = self._value(at, np.where(whole > 0, 0, 2 + gap), first, following, np.where(following < 0, 1, 1 + gap), end)
            lead = texts([k.leading[place] if place < len(k.left) else "" for k in self.kinds]).take(number)
            pieces += [lead, text if (spot >= 0).all() else pc.if_else(flags(spot >= 0), text, one(""))]
        if pieces:
            fields = pc.binary_join_element_wise(*pieces, one(self.closing), one(""))
            some = np.array([bool(k.left) for k in self.kinds], np.bool_)[kind]
            out["fields"] = fields if some.all() else pc.if_else(flags(some), fields, one(None))
        return out

    def _spots(self, place: int, picked: Positions) -> tuple[Positions, Positions, Positions]:
        """Where a kind says a text's opening quote is (negative: nowhere), and where the text begins and ends in each row."""
        spot = np.array([k.quotes[place] for k in self.kinds], np.int64)[self.kind[picked]]
        at = self.first[picked] + np.maximum(spot, 0)
        return spot, self.records.quotes[at] + 1, self.records.quotes[at + 1]

    def _text(self, place: int, picked: Positions) -> Any:
        spot, begin, stop = self._spots(place, picked)
        if not (spot >= 0).any():
            return texts([k.consts[place] for k in self.kinds]).take(numbers(self.kind[picked]))
        cut = self.records.said.cut(begin, stop)
        if (spot >= 0).all():
            return cut
        return pc.if_else(flags(spot >= 0), cut, texts([k.consts[place] for k in self.kinds]).take(numbers(self.kind[picked])))

    def _encoded(self, place: int, picked: Positions) -> Any:
        if all(k.quotes[place] < 0 for k in self.kinds):
            return by_kind([k.consts[place] for k in self.kinds], self.kind[picked])
        return encode(self._text(place, picked))

    def _said(self) -> Any:
        """The messages: a string of the record, the record itself, or its request in words."""
        picked = np.arange(len(self.rows))
        source = self.records.rows
        spot, _, stop = self._spots(TEXTS.index("message"), picked)
        out = self._text(TEXTS.index("message"), picked)
        if self.records.escaped:  # a message's own line feeds at its end are left out
            ended = source.data[np.maximum(stop - 1, 0)] == 110
            ended &= (spot >= 0) & ~np.array([k.made for k in self.kinds], np.bool_)[self.kind]
            out = pc.if_else(flags(ended), pc.utf8_rtrim(out, characters="\n"), out) if ended.any() else out
        if (spot == WHOLE).any():
            whole = source.cut(source.start[self.rows], source.end[self.rows])
            out = pc.if_else(flags(spot == WHOLE), whole, out)
        if (spot == REQUEST).any():
            method, path = (self._text(TEXTS.index(name), picked) for name in ("method", "path"))
            status = texts(["" if k.status is None else f" {k.status}" for k in self.kinds]).take(numbers(self.kind))
            told = pc.binary_join_element_wise(method, one(" "), path, status, one(""))
            out = pc.if_else(flags(spot == REQUEST), told, out)
        return out

    def _value(
        self, at: Positions, shift: Any, first: Positions, following: Positions, before: Positions, end: Positions
    ) -> Any:
        """What is written from so far behind a quote to so many bytes before the next key, or the end of the row."""
        quotes = self.records.quotes
        begin = quotes[at] + shift
        stop = np.where(following < 0, end, quotes[first + np.maximum(following, 0)]) - before
        return self.records.written.cut(begin, np.maximum(begin, stop))


def find(rows: Rows, candidates: Mask, form: Format, parser: RowParser, line: int) -> Found:
    """The records whose skeleton was read by the format itself."""
    return found_in(Records(rows, candidates), Found, form, parser.context, line)


def found_in(records: Records, made: type[Found], form: Format, context: TimeContext, line: int) -> Found:
    """What the format's reading of a record of each kind tells of all of these."""
    if not len(records.at):
        raise Unsure("no record is written plainly")
    skeleton, sound, plain = _skeletons(records)
    head, _ = grouped(skeleton)
    members = [records.members(records.rows.row_text(int(records.at[place]))) for place in head.tolist()]
    code = _deciding(records, skeleton, members)
    head, kind = grouped(code)
    many = np.bincount(kind, weights=sound, minlength=len(head))
    worth = many >= _WORTH
    if np.count_nonzero(worth) > _MOST:
        worth &= many > np.sort(many)[-_MOST]
    return _settled(records, made, kind, worth, sound, plain, form, context, line)


def _deciding(records: Records, skeleton: Positions, members: list[list[Token] | None]) -> Positions:
    """A number for each record's skeleton and the values in it that decide what the others mean."""
    rows, quotes, first = records.rows, records.quotes, records.first
    code = skeleton
    gap_begin, gap_end = records.gaps()
    told = [[m for m in everything(found or ()) if SENSITIVE_KEYS & {m.key, m.key.lower()}] for found in members]
    for place in range(max((len(some) for some in told), default=0)):
        some = [found[place] if place < len(found) else None for found in told]
        is_text = np.array([m is not None and m.text is not None for m in some], np.bool_)[skeleton]
        spot = np.array([0 if m is None else m.quote for m in some], np.int64)[skeleton]
        here = np.array([m is not None for m in some], np.bool_)[skeleton]
        at = first + spot
        begin = np.where(is_text, quotes[np.minimum(at + 2, len(quotes) - 1)], gap_begin[at // 2])
        end = np.where(is_text, quotes[np.minimum(at + 3, len(quotes) - 1)] + 1, gap_end[at // 2])
        end = np.where(here, np.minimum(end, begin + _TOLD), begin)
        said = encode(rows.cut(begin, end))
        code = grouped(code * len(said.dictionary) + values(said.indices))[1]
    return code


def _settled(
    records: Records, made: type[Found], kind: Positions, worth: Mask, sound: Mask, plain: Mask, form: Format, context: TimeContext, line: int
) -> Found:  # fmt: skip
    """Reads a record of each kind, and checks it against the stamps and the kind's last record."""
    rows, at, first, quotes = records.rows, records.at, records.first, records.quotes
    early = np.full(len(worth), len(at))
    late = np.zeros(len(worth), np.int64)
    places = np.flatnonzero(plain)
    late[kind[places]] = places
    early[kind[places[::-1]]] = places[::-1]
    worth &= early < len(at)
    raw = {k: rows.row_text(int(at[early[k]])) for k in np.flatnonzero(worth).tolist()}
    members = {k: records.members(text) for k, text in raw.items()}
    sample = sample_of(list(members.values()))
    if sample is None:
        raise Unsure("no record has a stamp at the top")
    read = {k: kind_of(raw[k], found, form, context, sample) for k, found in members.items() if found is not None}
    opening = np.array([r.stamp if (r := read.get(k)) is not None else 0 for k in range(len(worth))], np.int64)[kind]
    if sample.text is not None:
        begin, end = quotes[first + opening] + 1, quotes[np.minimum(first + opening + 1, len(quotes) - 1)]
        stamps = read_stamps(rows, begin, sample.text, context, line)
        sound &= end - begin == len(sample.text)
    else:
        gap_begin, gap_end = records.gaps()
        pair = (first + opening) // 2
        stamps = numeric_stamps(rows, gap_begin[pair], gap_end[pair])
    kinds: list[Kind] = []
    begins_kind, sure_kind = np.zeros(len(worth), np.bool_), np.zeros(len(worth), np.bool_)
    for k in range(len(worth)):
        found = read.get(k)
        if found is not None and (found.time, found.assumed) == stamps.told(int(early[k])):
            begins_kind[k] = True
            if found.kind is not None and late[k] != early[k]:
                text = rows.row_text(int(at[late[k]]))
                last = kind_of(text, records.members(text) or [], form, context, sample)
                sure_kind[k] = last is not None and last.kind == found.kind and (last.time, last.assumed) == stamps.told(int(late[k]))
        kinds.append(found.kind if sure_kind[k] and found is not None and found.kind is not None else Kind.none())
    sound &= stamps.sound & begins_kind[kind]
    begins = np.zeros(len(rows), np.bool_)
    begins[at[sound]] = True
    sure = sound & plain & sure_kind[kind]
    return made(records, at[sure], begins, stamps.pick(sure), kinds, kind[sure], first[sure])


def _skeletons(records: Records) -> tuple[Positions, Mask, Mask]:
    """The skeleton of each record as a number; which records are JSON as their first one is; and which of them print their numbers plainly."""
    data, quotes = records.rows.data, records.quotes
    begin, close = quotes[::2] + 1, quotes[1::2]
    size = close - begin
    row = np.repeat(np.arange(len(records.at)), records.count // 2)
    first = records.first // 2
    place = np.arange(len(begin)) - first[row]
    is_key = records.keys()
    kept = np.where(is_key, size, np.where(size < 3, size, 0))
    block = Text(data)
    parts = [block.words(begin, kept), np.where(is_key, size, np.minimum(size, 3)).astype(np.uint64) * 2 + is_key]
    at = np.flatnonzero(kept > 8)
    reach = 8
    while len(at):
        more = np.zeros(len(begin), np.uint64)
        more[at] = block.words(begin[at] + reach, kept[at] - reach)
        parts.append(more)
        reach += 8
        at = at[kept[at] > reach]
    gap, sound, plain = records.between(row)
    parts.append(gap)
    whole = np.zeros(len(begin), np.uint64)
    for part in parts:
        whole = mixed(whole + part)
    weight = mixed(np.arange(1, int(place.max()) + 2, dtype=np.uint64))
    with np.errstate(over="ignore"):
        code = np.add.reduceat(whole * weight[place], first) + mixed(records.count.astype(np.uint64))
    head, skeleton = grouped(code)
    same = first[head][skeleton][row] + place  # the string in the skeleton's first record; sums may be equal by chance, or made so
    unlike = np.zeros(len(begin), np.bool_)
    for part in parts:
        unlike |= part != part[np.minimum(same, len(part) - 1)]
    if unlike.any():
        sound[row[unlike]] = False
    return skeleton, sound, plain


def _gaps(records: Records, row: Positions) -> tuple[Any, Mask, Mask]:
    """What stands between strings, digits aside, as numbers; which records have no number that JSON forbids, and which no restyled one."""
    data = records.rows.data
    begin, end = records.gaps()
    sound, plain = np.ones(len(records.at), np.bool_), np.ones(len(records.at), np.bool_)
    code = data[np.minimum(begin, len(data) - 1)].astype(np.uint64)
    long = np.flatnonzero(end - begin != 1)
    if not len(long):
        return code, sound, plain
    said = records.rows.cut(begin[long], end[long])
    forms = collapsed(said).dictionary_encode()
    form = values(forms.indices)
    code[long] = form.astype(np.uint64) + np.uint64(256)
    zero = "".join("1" if "0" in text else "0" for text in forms.dictionary.to_pylist())
    numeric = np.frombuffer(zero.encode(), np.uint8)[form] == 49
    leading = numeric & _leading_zero(said)
    sound[row[long[leading]]] = False
    odd = np.array([bool(_ODD.search(text)) for text in forms.dictionary.to_pylist()], np.bool_)[form]
    asked = np.flatnonzero(numeric & (odd | ((end - begin)[long] > 16)))
    if len(asked):
        restyled = holds(pc.match_substring_regex(said.take(numbers(asked)), _RESTYLED))
        plain[row[long[asked[restyled]]]] = False
    return code, sound, plain


def _leading_zero(said: pa.Array) -> Mask:
    """Which texts hold a number that begins with a zero it should not: JSON has no such numbers."""
    offsets, data = bytes_of(said)
    digit = (data - np.uint8(48)) < 10
    found = (data[1:-1] == 48) & digit[2:] & ~digit[:-2] & (data[:-2] != 46)
    out = np.zeros(len(said), np.bool_)
    out[np.searchsorted(offsets, np.flatnonzero(found) + 1, "right") - 1] = True
    return out


JSON = Kernel(find, joins=True)
__all__ = ["JSON", "Found", "Records", "found_in"]
