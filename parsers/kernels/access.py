"""Access logs by columns: rows whose quotes stand as in the file's first row, cut at them.

A row is sure when it is `client - user [time] "METHOD path HTTP/x" status bytes`, with referrer and agent and a tail of
`key=value`, `key="value"` and decimal tokens, the same in all rows; what differs (other quotes, escapes, a list of
upstreams) is left to `retrolog.parsers.formats.access`, whose words this module uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..arrays import flags, holds, joined, numbers, optional, texts, values
from ..arrays import one as scalar
from ..base import Event, Format
from ..columns import seconds_of
from ..formats import access
from ..shapes import CLF
from .kernel import Kernel, encode
from .rows import Alone, Mask, Positions, Rows, Unsure, pc, read_stamps

if TYPE_CHECKING:
    from ..rowwise import RowParser
    from ..units import Unit

_SAMPLE = re.compile(r"[^\s\[\]\",{]+ - [^\s\[\]\",{]+ \[(?P<time>[^\]]{20,40})\] (?P<after>\"[^\"\\]*\" \d{3} [\d-]+(?P<tail>.*))$")
_CLF = re.compile(CLF)
_QUOTED = re.compile(r' "([^"\\]*)"')
_TOKEN = re.compile(r' (?:(?P<pair>[A-Za-z_][\w-]*)=(?:(?P<mark>")[^"\\\s]*"|[^\s"\[\]]*)|(?P<bare>\d{1,8}\.\d+)|(?P<whole>\d{1,15}))(?=\s|$)')
#: What ingress-nginx writes behind the agent, for a request with one upstream.
_INGRESS = (
    r'^ \d+ (?P<duration>\d+\.\d+) \[(?P<upstream_name>[^\]"]*)\] \[[^\]"]*\] (?P<upstream>[^\s,"]+) [\d-]+ (?P<upstream_time>[\d.-]+) '
    r'(?P<upstream_status>[\d-]+) (?P<id>[^\s,"]+)$'
)
_NOT_NAMES = {"protocol", "user", "referrer", "user_agent", "forwarded_for", "ua"}  # filled elsewhere, or by their value
#: What a whole number is called among the tokens: no pair's name.
WHOLE = "#"
_REQUEST = r"^(?P<method>[A-Z][A-Z_-]{1,20}) (?P<path>/[^ ]*|\*) (?P<protocol>HTTP/[0-9.]+)$"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file's rows have after the request: how many quoted texts, then which tokens."""

    quoted: int
    tokens: tuple[tuple[str, bool], ...]  # name ("" for a decimal, WHOLE for a whole number), and whether the value stands in quotes
    ingress: bool = False  # the tail is that of ingress-nginx

    @property
    def quotes(self) -> int:
        """Quotes of a row."""
        return 2 + 2 * self.quoted + 2 * sum(mark for _, mark in self.tokens)

    @property
    def pattern(self) -> str:
        """An RE2 pattern of the tail after the quoted texts; groups are numbered t0, t1 ..."""
        parts = []
        for at, (name, mark) in enumerate(self.tokens):
            nothing = "|-" if at == len(self.tokens) - 1 else ""  # elsewhere a dash would let the next decimal take its place
            plain = f"[0-9]{{1,8}}\\.[0-9]+{nothing}" if not name else "[0-9]{1,15}" if name == WHOLE else "[^\\s\"]*"
            value = f"(?P<t{at}>{plain})"
            parts.append(f' {re.escape(name)}="{value}"' if mark else f" {re.escape(name)}={value}" if name not in ("", WHOLE) else f" {value}")
        return "^" + "".join(parts) + "$"


def layout_of(text: str) -> tuple[Layout, str] | None:
    """The layout of a row and its stamp; None for a row that the kernel does not know."""
    match = _SAMPLE.match(text)
    if match is None or not _CLF.fullmatch(match["time"]):
        return None
    tail = match["tail"]
    quoted = position = 0
    while quoted < 2 and (found := _QUOTED.match(tail, position)) is not None:
        quoted, position = quoted + 1, found.end()
    if quoted and re.match(_INGRESS, tail[position:]):
        return Layout(quoted, (), ingress=True), match["time"]
    tokens = []
    while position < len(tail):
        token = _TOKEN.match(tail, position)
        if token is None:
            return None
        tokens.append((WHOLE if token["whole"] else token["pair"] or "", bool(token["mark"])))
        position = token.end()
    known = [_target(name) for name, _ in tokens if name not in ("", WHOLE)]
    targets = [target for target in known if target]
    bare = [name for name, _ in tokens if not name]
    if len(set(targets)) < len(targets) or len(bare) > 2 or (bare and ("duration" in targets or "upstream_time" in targets)):
        return None  # one key decides over another there
    names = [name for name, _ in tokens if name not in ("", WHOLE) and not _target(name)]
    if len(set(names)) < len(names) or _NOT_NAMES & {name.lower() for name in names}:
        return None
    return Layout(quoted, tuple(tokens)), match["time"]


def _target(name: str) -> str:
    """The column or field that a token of this name fills, "" for a field of its own name."""
    event = Event(None, "")
    access._take_pair(event, name, "1.5")
    if event.duration is not None:
        return "duration"
    if event.upstream is not None:
        return "upstream"
    if event.request_id is not None:
        return "request_id"
    return next((key for key in ("upstream_time", "upstream_status") if key in event.fields), "")


def find(rows: Rows, candidates: Mask, form: Format, parser: RowParser, line: int) -> Alone:
    """The rows of a block that have the layout of its first usual one."""
    known = next((f for at in np.flatnonzero(candidates)[:50] if (f := layout_of(rows.row_text(int(at)))) is not None), None)
    if known is None:
        raise Unsure("no row has a usual layout")
    layout, sample = known
    quotes = rows.places(34)
    first = np.searchsorted(quotes, rows.start)
    count = np.diff(np.append(first, len(quotes)))
    sure = candidates & (count == layout.quotes)
    if b"\\" in rows.text:
        sure &= ~rows.holding(rows.places(92))
    if b"\t" in rows.text:
        sure &= ~rows.holding(rows.places(9))
    at: Positions = np.flatnonzero(sure)
    if not len(at):
        raise Unsure("no row has the quotes of the first one")
    begin, end = rows.start[at], rows.end[at]
    quote: Positions = first[at]
    one, two = quotes[quote], quotes[quote + 1]
    width = len(sample)
    stamp = one - width - 2
    after_user = stamp - 2
    data = rows.data

    def byte(places: Positions, value: bytes) -> Mask:
        there: Mask = data.take(places, mode="clip") == value[0]
        return there

    good = (after_user > begin + 2) & byte(after_user, b" ") & byte(stamp - 1, b"[") & byte(stamp + width, b"]") & byte(stamp + width + 1, b" ")
    good &= byte(two + 1, b" ") & byte(two + 5, b" ")
    status = np.zeros(len(at), np.int16)
    for place in (2, 3, 4):
        digit = data.take(two + place, mode="clip") - np.uint8(48)
        good &= (digit < 10) if place > 2 else (digit > 0) & (digit < 10)
        status = status * np.int16(10) + digit
    if layout.quoted:
        after_bytes = quotes[quote + 2] - 1
        good &= byte(after_bytes, b" ")
        ends_with = quotes[quote + 1 + 2 * layout.quoted] + 1
        if layout.quoted > 1:
            good &= (quotes[quote + 4] == quotes[quote + 3] + 2) & byte(quotes[quote + 3] + 1, b" ")
    else:
        after_bytes = ends_with = rows.first_after(rows.places(32), two + 6, end)
    good &= (ends_with <= end) & (after_bytes > two + 6)
    if not layout.tokens and not layout.ingress:
        good &= ends_with == end
    # nearly all rows name no user: where they do, the client ends at the first space
    named = ~(byte(after_user - 1, b"-") & byte(after_user - 2, b" "))
    after_client = after_user - 4
    if (named & good).any():
        spaces = rows.places(32)
        after_client[named] = spaces[np.minimum(np.searchsorted(spaces, begin[named]), len(spaces) - 1)]
    good &= (after_client > begin) & byte(after_client, b" ") & byte(after_client + 1, b"-") & byte(after_client + 2, b" ") & (after_client + 3 < after_user)
    if not good.all():
        at, begin, end, quote, one, two, after_bytes, ends_with, after_client, after_user, stamp = (
            x[good] for x in (at, begin, end, quote, one, two, after_bytes, ends_with, after_client, after_user, stamp)
        )
        status, named = status[good], named[good]
    if not len(at):
        raise Unsure("no row has the usual layout")

    cut = rows.cut
    client = encode(cut(begin, after_client))
    request = encode(cut(one + 1, two))
    size, sized = _size(rows, two + 6, after_bytes)
    stamps = read_stamps(rows, stamp, sample, parser.context, line)
    ok = stamps.sound & sized
    ok &= _by_value(client, r"^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]+|[A-Za-z][A-Za-z0-9.-]{0,250})$", ":", r"[0-9]:[0-9][0-9]:[0-9][0-9]$")
    matched = pc.extract_regex(request.dictionary, _REQUEST)
    method, path, protocol = (matched.field(name) for name in ("method", "path", "protocol"))
    ok &= holds(pc.and_(pc.is_valid(matched), pc.invert(pc.match_substring(pc.utf8_slice_codeunits(path, 0, 12), "://"))).take(request.indices))
    parts: dict[str, Any] = {
        "client": client, "status": numbers(status), "bytes": size, "method": through(request.indices, method), "path": through(request.indices, path),
    }  # fmt: skip
    pieces: list[tuple[str, Any, Any]] = []  # of `fields`: key, distinct values, the place of each row's value among them
    if named.any():
        user = encode(cut(after_client + 3, after_user))
        ok &= _by_value(user, r"^(?:-|[A-Za-z][A-Za-z0-9@._-]{0,80})$", "unix", r"^unix")
        pieces.append(("user", present(user.dictionary), user.indices))
    pieces.append(("protocol", protocol, request.indices))
    for place, name in zip(range(layout.quoted), ("referrer", "user_agent"), strict=False):
        if name == "user_agent" or not parser.counting:
            value = encode(cut(quotes[quote + 2 + 2 * place] + 1, quotes[quote + 3 + 2 * place]))
            pieces.append((name, present(value.dictionary), value.indices))
    if layout.ingress:
        ok &= _take_ingress(cut(ends_with, end), parts, pieces)
    elif layout.tokens:
        ok &= _take_tokens(cut(ends_with, end), layout, parser.context.unit, parts, pieces)
    if parser.counting:
        agent = next(((said, indices) for name, said, indices in pieces if name == "user_agent"), None)
        parts["agent"] = pa.nulls(len(at), pa.dictionary(pa.int32(), pa.string())) if agent is None else through(agent[1], agent[0])
    else:
        parts |= {"message": cut(one, end), "path": parts["path"].cast(pa.string())}
        said = joined([_piece(*piece) for piece in pieces], ",", len(at))
        parts["fields"] = pc.if_else(pc.equal(said, scalar("")), scalar(None), pc.binary_join_element_wise(scalar("{"), said, scalar("}"), scalar("")))
    if not ok.all():
        parts = {name: part.filter(flags(ok)) for name, part in parts.items()}
        at, stamps = at[ok], stamps.pick(ok)
    begins = np.zeros(len(rows), np.bool_)
    begins[at] = True
    return Alone(rows, at, begins, stamps, parts)


def _size(rows: Rows, begin: Positions, end: Positions) -> tuple[pa.Array, Mask]:
    """The bytes served, null for a dash, and where a number of up to 18 digits or a dash stands."""
    width, first = end - begin, rows.data[begin]
    nothing: Mask = (width == 1) & (first == ord("-"))
    good = nothing | ((width > 0) & (width <= 18))
    number = np.zeros(len(begin), np.int64)
    for place in range(min(int(width.max()), 18)):
        longer = width > place
        digit = rows.data[np.where(longer, begin + place, begin)] - np.uint8(48)
        good &= nothing | ~longer | (digit < 10)
        number = np.where(longer, number * 10 + digit, number)
    known = None if not nothing.any() else pa.py_buffer(np.packbits(~nothing, bitorder="little"))
    return pa.Array.from_buffers(pa.int64(), len(number), [known, pa.py_buffer(number)]), good


def _take_ingress(tail: pa.Array, parts: dict[str, Any], pieces: list[tuple[str, Any, Any]]) -> Mask:
    """Columns and fields of ingress-nginx's tails; answers which rows have one."""
    matched = pc.extract_regex(tail, _INGRESS)
    seconds = encode(matched.field("duration"))
    parts["duration"] = optional([None if v is None else _seconds("", v) for v in seconds.dictionary.to_pylist()], pa.float64()).take(seconds.indices)
    parts["upstream"] = encode(present(matched.field("upstream")))
    parts["request_id"] = present(matched.field("id"))
    for name in ("upstream_name", "upstream_time", "upstream_status"):
        said = encode(matched.field(name))
        pieces.append((name, said.dictionary, said.indices))
    return holds(pc.is_valid(matched))


def _take_tokens(tail: pa.Array, layout: Layout, unit: Unit | None, parts: dict[str, Any], pieces: list[tuple[str, Any, Any]]) -> Mask:
    """Columns and fields of the tokens after the agent; answers which rows have them as the layout says."""
    whole = encode(tail)
    matched = pc.extract_regex(whole.dictionary, layout.pattern)
    decimals = 0
    numbered = [at for at, (name, _) in enumerate(layout.tokens) if name == WHOLE]
    timed = any(not name or _target(name) == "duration" for name, _ in layout.tokens if name != WHOLE)
    if unit is not None and unit.known and len(numbered) == unit.count and not timed:
        counted = pc.cast(matched.field(f"t{numbered[unit.place]}"), pa.float64(), safe=False)
        parts["duration"] = pc.multiply(counted, unit.seconds).take(whole.indices)
    for at, (name, _) in enumerate(layout.tokens):
        if name == WHOLE:
            continue
        found = matched.field(f"t{at}")
        target = _target(name) if name else ("duration", "upstream_time")[decimals]
        decimals += not name
        if target == "duration":
            encoded = encode(found)
            seconds = [_seconds(name, v) if v not in ("", "-") else None for v in encoded.dictionary.to_pylist()]
            parts["duration"] = optional(seconds, pa.float64()).take(encoded.indices).take(whole.indices)
        elif target == "upstream":
            parts[target] = through(whole.indices, present(found))
        elif target == "request_id":
            parts[target] = present(found).take(whole.indices)
        else:
            shown = present(found)
            if not name:  # `access` keeps a bare decimal as the number it is
                encoded = encode(shown)
                shown = texts([None if v is None else str(float(v)) for v in encoded.dictionary.to_pylist()]).take(encoded.indices)
            pieces.append((target or name, shown, whole.indices))
    return holds(pc.is_valid(matched).take(whole.indices))


#: Durations to the millisecond repeat from block to block.
_seconds = lru_cache(maxsize=20_000)(seconds_of)


def through(indices: Any, known: Any) -> pa.DictionaryArray:
    """A dictionary column of `known[indices]`."""
    inner = known.dictionary_encode()
    return pa.DictionaryArray.from_arrays(inner.indices.take(indices), inner.dictionary)


def _piece(key: str, said: Any, indices: Any) -> Any:
    """`"key":"value"` of each row; the values hold neither quotes nor backslashes."""
    return pc.binary_join_element_wise(scalar(f'"{key}":"'), said, scalar('"'), scalar("")).take(indices)


def present(said: Any) -> Any:
    return pc.if_else(pc.or_(pc.equal(said, scalar("")), pc.equal(said, scalar("-"))), scalar(None), said)


def _by_value(column: pa.DictionaryArray, good: str, hint: str, bad: str) -> Mask:
    """Rows whose value fits a pattern and not another one, which is asked of values that hold the hint."""
    known = column.dictionary
    fits = holds(pc.match_substring_regex(known, good))
    doubtful = np.flatnonzero(holds(pc.match_substring(known, hint)))
    fits[doubtful] &= ~holds(pc.match_substring_regex(known.take(numbers(doubtful)), bad))
    of_rows: Mask = fits[values(column.indices)]
    return of_rows


ACCESS = Kernel(find, joins=True)
__all__ = ["ACCESS", "layout_of"]
