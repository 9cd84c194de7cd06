"""Access logs by columns: rows whose quotes stand as in the file's first row, cut at them.

A row is sure when it is `client - user [time] "METHOD path HTTP/x" status bytes`, with referrer and agent and a tail of
`key=value`, `key="value"` and decimal tokens, the same in all rows; what differs (other quotes, escapes, a list of
upstreams) is left to `retrolog.parsers.formats.access`, whose words this module uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .arrays import flags, holds, joined, numbers, optional, texts
from .arrays import one as scalar
from .base import Event, Format
from .columns import seconds_of
from .formats import access
from .kernels import Kernel, encode
from .kernels_rows import Mask, Positions, Rows, Stamps, Unsure, pc, read_stamps
from .shapes import CLF

if TYPE_CHECKING:
    from .blocks import BlockParser

_SAMPLE = re.compile(r"[^\s\[\]\",{]+ - [^\s\[\]\",{]+ \[(?P<time>[^\]]{20,40})\] (?P<after>\"[^\"\\]*\" \d{3} [\d-]+(?P<tail>.*))$")
_CLF = re.compile(CLF)
_QUOTED = re.compile(r' "([^"\\]*)"')
_TOKEN = re.compile(r' (?:(?P<pair>[A-Za-z_][\w-]*)=(?:(?P<mark>")[^"\\\s]*"|[^\s"\[\]]*)|(?P<bare>\d+\.\d+))')
_NOT_NAMES = {"protocol", "user", "referrer", "user_agent", "forwarded_for", "ua"}  # filled elsewhere, or by their value
_REQUEST = r"^(?P<method>[A-Z][A-Z_-]{1,20}) (?P<path>/[^ ]*|\*) (?P<protocol>HTTP/[0-9.]+)$"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file's rows have after the request: how many quoted texts, then which tokens."""

    quoted: int
    tokens: tuple[tuple[str, bool], ...]  # name ("" for a decimal), and whether the value stands in quotes

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
            value = f"(?P<t{at}>[0-9]+\\.[0-9]+{nothing})" if not name else f"(?P<t{at}>[^\\s\"]*)"
            parts.append(f' {re.escape(name)}="{value}"' if mark else f" {re.escape(name)}={value}" if name else f" {value}")
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
    tokens = []
    while position < len(tail):
        token = _TOKEN.match(tail, position)
        if token is None:
            return None
        tokens.append((token["pair"] or "", bool(token["mark"])))
        position = token.end()
    known = [_target(name) for name, _ in tokens if name]
    targets = [target for target in known if target]
    bare = [name for name, _ in tokens if not name]
    if len(set(targets)) < len(targets) or len(bare) > 2 or (bare and ("duration" in targets or "upstream_time" in targets)):
        return None  # one key decides over another there
    names = [name for name, _ in tokens if name and not _target(name)]
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


@dataclass(slots=True)
class _Found:
    source: Rows
    rows: Positions
    begins: Mask
    stamps: Stamps
    parts: dict[str, Any]

    def settle(self, end: Positions) -> Mask:
        """A row of an access log that another goes on is none of the usual."""
        alone: Mask = end == self.source.end[self.rows]
        return alone

    def columns(self, picked: Positions) -> dict[str, pa.Array]:
        whole = len(picked) == len(self.rows)
        index = numbers(picked)
        return {name: (part if whole else part.take(index)) for name, part in self.parts.items()}


def find(rows: Rows, candidates: Mask, form: Format, parser: BlockParser, line: int) -> _Found:
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
    at = np.flatnonzero(sure)
    if not len(at):
        raise Unsure("no row has the quotes of the first one")
    begin, end, quote = rows.start[at], rows.end[at], first[at]
    spaces = rows.places(32)
    space = np.searchsorted(spaces, begin)
    space = np.minimum(space, max(0, len(spaces) - 4))
    after_client, after_dash, after_user = spaces[space], spaces[space + 1], spaces[space + 2]
    one, two = quotes[quote], quotes[quote + 1]
    stamp = after_user + 2
    width = len(sample)
    data, top = rows.data, len(rows.data) - 1

    def byte(places: Positions, value: bytes) -> Mask:
        there: Mask = data[np.clip(places, 0, top)] == value[0]
        return there

    good = (after_user < one) & (after_dash - after_client == 2) & byte(after_client + 1, b"-")
    good &= byte(after_user + 1, b"[") & byte(stamp + width, b"]") & byte(stamp + width + 1, b" ") & (one == stamp + width + 2)
    good &= byte(two + 1, b" ") & byte(two + 5, b" ")
    digits = data[np.clip(two[:, None] + np.arange(2, 5), 0, top)].astype(np.int16) - 48
    good &= ((digits >= 0) & (digits < 10)).all(1) & (digits[:, 0] > 0)
    status = digits[:, 0] * 100 + digits[:, 1] * 10 + digits[:, 2]
    after_bytes = rows.first_after(spaces, two + 6, end)
    ends_with = end
    if layout.quoted:
        ends_with = quotes[quote + 1 + 2 * layout.quoted] + 1
        for number in range(layout.quoted):
            opening = quotes[quote + 2 + 2 * number]
            before = after_bytes if not number else quotes[quote + 1 + 2 * number] + 1
            good &= (opening == before + 1) & byte(before, b" ")
    else:
        ends_with = after_bytes
    good &= (ends_with <= end) & (after_bytes > two + 6)
    if not layout.tokens:
        good &= ends_with == end
    if not good.all():
        at, begin, end, quote, one, two, status, after_bytes, ends_with = (
            x[good] for x in (at, begin, end, quote, one, two, status, after_bytes, ends_with)
        )
        after_client, after_dash, after_user, stamp = (x[good] for x in (after_client, after_dash, after_user, stamp))
    if not len(at):
        raise Unsure("no row has the usual layout")

    cut = rows.cut
    client = encode(cut(begin, after_client))
    user = encode(cut(after_dash + 1, after_user))
    request = encode(cut(one + 1, two))
    size = cut(two + 6, after_bytes)
    stamps = read_stamps(rows, stamp, sample, parser.context, line)
    ok = stamps.sound.copy()
    ok &= _by_value(client, r"^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]+|[A-Za-z][A-Za-z0-9.-]{0,250})$", r"[0-9]:[0-9][0-9]:[0-9][0-9]$")
    ok &= _by_value(user, r"^(?:-|[A-Za-z][A-Za-z0-9@._-]{0,80})$", r"^unix")
    matched = pc.extract_regex(request.dictionary, _REQUEST)
    method, path, protocol = (matched.field(name) for name in ("method", "path", "protocol"))
    ok &= holds(pc.and_(pc.is_valid(matched), pc.invert(pc.match_substring(pc.utf8_slice_codeunits(path, 0, 12), "://"))).take(request.indices))
    dash = pc.equal(size, scalar("-"))
    number = pc.if_else(dash, scalar(None), size)
    ok &= holds(pc.or_(dash, pc.match_substring_regex(size, r"^[0-9]{1,18}$")))
    parts: dict[str, Any] = {
        "client": client, "status": numbers(status.astype(np.int16)), "message": cut(one, end),
    }  # fmt: skip
    pieces = [
        _piece("user", pc.if_else(pc.equal(user.dictionary, scalar("-")), scalar(None), user.dictionary), user.indices),
        _piece("protocol", protocol, request.indices),
    ]
    for place, name in zip(range(layout.quoted), ("referrer", "user_agent"), strict=False):
        value = encode(cut(quotes[quote + 2 + 2 * place] + 1, quotes[quote + 3 + 2 * place]))
        pieces.append(_piece(name, _present(value.dictionary), value.indices))
    if layout.tokens:
        ok &= _take_tokens(cut(ends_with, end), layout, parts, pieces)
    if not ok.all():
        keep = flags(ok)
        parts = {name: part.filter(keep) for name, part in parts.items()}
        pieces = [piece.filter(keep) for piece in pieces]
        number, at = number.filter(keep), at[ok]
        method_of = request.indices.filter(keep)
        stamps = stamps.pick(ok)
    else:
        method_of = request.indices
    parts["bytes"] = number.cast(pa.int64())
    parts["method"] = encode(method.take(method_of))
    parts["path"] = path.take(method_of)
    said = joined(pieces, ",", len(at))
    parts["fields"] = pc.if_else(pc.equal(said, scalar("")), scalar(None), pc.binary_join_element_wise(scalar("{"), said, scalar("}"), scalar("")))
    for name in ("upstream", "request_id"):
        if name in parts:
            parts[name] = encode(parts[name]) if name == "upstream" else parts[name]
    begins = np.zeros(len(rows), np.bool_)
    begins[at] = True
    return _Found(rows, at, begins, stamps, parts)


def _take_tokens(tail: pa.Array, layout: Layout, parts: dict[str, Any], pieces: list[Any]) -> Mask:
    """Columns and fields of the tokens after the agent; answers which rows have them as the layout says."""
    matched = pc.extract_regex(tail, layout.pattern)
    decimals = 0
    for at, (name, _) in enumerate(layout.tokens):
        found = matched.field(f"t{at}")
        target = _target(name) if name else ("duration", "upstream_time")[decimals]
        decimals += not name
        if target == "duration":
            encoded = encode(found)
            seconds = [seconds_of(name, v) if v not in ("", "-") else None for v in encoded.dictionary.to_pylist()]
            parts["duration"] = optional(seconds, pa.float64()).take(encoded.indices)
        elif target in ("upstream", "request_id"):
            parts[target] = _present(found)
        else:
            encoded = encode(found)
            shown = _present(encoded.dictionary)
            if not name:  # `access` keeps a bare decimal as the number it is
                shown = texts([None if v is None else str(float(v)) for v in shown.to_pylist()])
            pieces.append(_piece(target or name, shown, encoded.indices))
    return holds(pc.is_valid(matched))


def _piece(key: str, said: Any, indices: Any) -> Any:
    """`"key":"value"` of each row; the values hold neither quotes nor backslashes."""
    return pc.binary_join_element_wise(scalar(f'"{key}":"'), said, scalar('"'), scalar("")).take(indices)


def _present(said: Any) -> Any:
    return pc.if_else(pc.or_(pc.equal(said, scalar("")), pc.equal(said, scalar("-"))), scalar(None), said)


def _by_value(column: pa.DictionaryArray, good: str, bad: str) -> Mask:
    """Rows whose value fits a pattern and not another one."""
    known = column.dictionary
    fits = pc.and_(pc.match_substring_regex(known, good), pc.invert(pc.match_substring_regex(known, bad)))
    return holds(fits.take(column.indices))


ACCESS = Kernel(find, joins=True)
__all__ = ["ACCESS", "layout_of"]
