"""Rows that a container runtime has wrapped, by columns: CRI, docker's `json-file`, and the prefixes of compose and kubectl.

The rows inside are put together to a block of their own, and the kernel of the format that spoke last inside reads it. A row is
sure when the kernel inside is, when it is whole, and when nothing in it could go on the row before: the rest is left to
`retrolog.parsers.formats.containers`, whose rules of adoption these are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from ..arrays import flags, holds, numbers, one, texts, values
from ..base import Format
from ..detect import LAST_RESORT, TRUSTED_AFTER, Detector
from ..formats.containers import ADOPTED, LAST_RESORTS, wrapped_row
from ..rowwise import RowParser
from ..shapes import RFC3339
from .json_records import Records
from .kernel import WRAPPERS, Found, Kernel, encode
from .rows import (
    YEARS_ASIDE,
    Alone,
    Mask,
    Positions,
    Rows,
    Stamps,
    Unsure,
    bytes_of,
    pc,
    stamps_between,
)
from .words import Text, request_ids

#: Which kernel reads the rows inside.
Chooser = Callable[[RowParser], Kernel | None]
_STAMP = re.compile(RFC3339)
_STREAMS = ("stdout", "stderr")
#: What in a row may be a member of the name that the runtime gives its own one.
_NAMED_STREAM = r'\bstream"?\s?[=:]'
_TRACE = "Traceback "
#: Prefixes of rows (RE2) with the byte that ends the name.
_PREFIXES = {
    "compose": (r"^(?P<service>[A-Za-z][\w.-]{0,80}) *\| $", 124),
    "kubectl": (r"^\[pod/(?P<host>[\w.-]+)/(?P<service>[\w.-]+)\] $", 93),
}


@dataclass(slots=True)
class _Wrapped:
    """Rows in an envelope (numbers of `at`), the texts inside with their line feeds, and where the runtime's stamps stand."""

    at: Positions
    inside: Any
    stream: Positions
    begin: Positions
    end: Positions


@dataclass(slots=True)
class _Found(Alone):
    inner: Format
    detector: Detector
    stream: Positions

    def ready(self, parser: RowParser) -> bool:
        """Whether a row inside would now be asked the format whose kernel has read them."""
        del parser
        trusted = self.inner.priority < LAST_RESORT or self.detector.generic_run >= TRUSTED_AFTER
        return trusted and bool(self.detector.favourites) and self.detector.favourites[0] is self.inner

    def passed(self, parser: RowParser, picked: Positions) -> None:
        """Leaves the formats of the rows inside, and what is known of the last row, as reading these would."""
        self.detector.passed(self.inner, len(picked))
        wrapped_row(parser.context, _STREAMS[self.stream[picked[-1]]])


@dataclass(slots=True)
class _Prefixed(Alone):
    """Rows behind a prefix, whose time and format are those of the rows inside."""

    inside: _Found
    service: Any

    def ready(self, parser: RowParser) -> bool:
        """Whether a row inside would now be asked the format whose kernel has read them."""
        return self.inside.ready(parser)

    def passed(self, parser: RowParser, picked: Positions) -> None:
        """Leaves the formats of the rows inside, and which container spoke last, as reading these would."""
        self.inside.detector.passed(self.inside.inner, len(picked))
        parser.context.state["prefixed"] = self.service[int(picked[-1])].as_py()

    def named(self, form: Format) -> str:
        """The format of the rows inside."""
        del form
        return self.inside.inner.name


def _word(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode(), "little"))


def _cri(rows: Rows, candidates: Mask) -> _Wrapped:
    """Whole rows of the CRI format: a stamp, a stream, F, and the row inside."""
    at = np.flatnonzero(candidates)
    begin, end = rows.start[at], rows.end[at]
    stamp = rows.first_after(rows.places(32), begin, end)
    block, last = Text(rows.data), len(rows.data)
    stream = block.words(np.minimum(stamp + 1, last), np.int64(7))
    good = (stamp + 10 < end) & (block.words(np.minimum(stamp + 8, last), np.int64(2)) == _word("F "))
    good &= (stream == _word("stdout ")) | (stream == _word("stderr "))
    good &= rows.data[np.minimum(end, last - 1)] == 10
    at, begin, end, stamp, stream = (x[good] for x in (at, begin, end, stamp, stream))
    inside = rows.cut(stamp + 10, end + 1)
    return _Wrapped(at, inside, (stream == _word("stderr ")).astype(np.int64), begin, stamp)


def _docker(rows: Rows, candidates: Mask) -> _Wrapped:
    """Records of docker's with a whole row, and without further members."""
    records = Records(rows, candidates)
    usual = np.flatnonzero(records.count == 12)
    at, last = records.at[usual], len(rows.data)
    quotes = records.quotes
    log, close, opened, ended, time, over = (quotes[records.first[usual] + k] for k in (2, 3, 6, 7, 10, 11))
    block = Text(rows.data)

    def said(places: Positions, text: str) -> Mask:
        return np.asarray(block.words(np.minimum(places, last), np.int64(len(text))) == _word(text))

    good = said(rows.start[at], '{"log":"') & said(close + 1, ',"stream') & said(close + 9, '":"') & (opened == close + 11)
    good &= (ended == opened + 7) & said(ended + 1, ',"time":"'[:8]) & (time == ended + 9) & (rows.data[np.minimum(over + 1, last - 1)] == 125)
    good &= (over + 2 == rows.end[at]) & (said(opened + 1, "stdout") | said(opened + 1, "stderr")) & (log == rows.start[at] + 7)
    at, log, close, opened, time, over = (x[good] for x in (at, log, close, opened, time, over))
    inside = records.said.cut(log + 1, close)
    whole = holds(pc.match_substring_regex(inside, r"\A[^\n]+\n\z"))
    at, opened, time, over = (x[whole] for x in (at, opened, time, over))
    stream = said(opened + 1, "stderr").astype(np.int64)
    return _Wrapped(at, inside.filter(flags(whole)), stream, time + 1, over)


def find(kernel_of: Chooser, rows: Rows, candidates: Mask, form: Format, parser: RowParser, line: int) -> _Found | _Prefixed:
    """The rows whose insides the kernel of the format that spoke last inside is sure of."""
    if form.name in _PREFIXES:
        return _find_prefixed(kernel_of, rows, candidates, form, parser, line)
    wrapped = (_cri if form.name == "cri" else _docker)(rows, candidates)
    if not len(wrapped.at):
        raise Unsure("no row is wrapped as usual")
    stamps = stamps_between(rows, wrapped.begin, wrapped.end, parser.context, line, _STAMP)
    begun = stamps.sound & ~holds(pc.match_substring_regex(wrapped.inside, r"\A(?:[ \t]|Caused by: )"))
    begins = np.zeros(len(rows), np.bool_)
    begins[wrapped.at[begun]] = True
    block = Rows(bytes_of(wrapped.inside)[1].tobytes())
    usable = begun & ~holds(pc.starts_with(wrapped.inside, _TRACE))
    if b"stream" in block.text:
        usable &= ~holds(pc.match_substring_regex(wrapped.inside, _NAMED_STREAM))
    parser.context.state[YEARS_ASIDE] = True  # the runtime's time is the event's
    try:
        found, detector, inner = _inside(kernel_of, block, usable, parser, line, len(rows))
    finally:
        del parser.context.state[YEARS_ASIDE]
    picked = np.flatnonzero(found.settle(block.end[found.rows]))
    if not len(picked):
        raise Unsure("no row inside is sure")
    place = found.rows[picked]
    parts = _adopted(found.columns(picked), inner, block, place, wrapped.stream[place])
    sure = np.ones(len(place), np.bool_)
    if inner.name in LAST_RESORTS:
        sure &= ~holds(parts.pop("hinting"))
    parts = {name: part if sure.all() else part.filter(flags(sure)) for name, part in parts.items()}
    place = place[sure]
    return _Found(rows, wrapped.at[place], begins, stamps.pick(place), parts, inner, detector, wrapped.stream[place])


def _find_prefixed(kernel_of: Chooser, rows: Rows, candidates: Mask, form: Format, parser: RowParser, line: int) -> _Prefixed:
    """The same for rows whose prefix only names the container."""
    pattern, mark = _PREFIXES[form.name]
    at = np.flatnonzero(candidates & (rows.data[np.minimum(rows.end, len(rows.data) - 1)] == 10))
    stop = np.minimum(rows.first_after(rows.places(mark), rows.start[at], rows.end[at]) + 2, rows.end[at])
    prefix = encode(rows.cut(rows.start[at], stop))
    named = pc.extract_regex(prefix.dictionary, pattern)
    good = holds(pc.is_valid(named))[values(prefix.indices)] & (rows.data[np.minimum(stop, len(rows.data) - 1)] > 32)
    at, stop, place = at[good], stop[good], values(prefix.indices)[good]
    if not len(at):
        raise Unsure("no row has a prefix")
    block = Rows(bytes_of(rows.cut(stop, rows.end[at] + 1))[1].tobytes())
    found, detector, inner = _inside(kernel_of, block, np.ones(len(at), np.bool_), parser, line, len(rows))
    picked = np.flatnonzero(found.settle(block.end[found.rows]))
    begins = np.zeros(len(rows), np.bool_)
    begins[at[np.flatnonzero(found.begins)]] = True
    sure = found.rows[picked]
    parts = dict(found.columns(picked))
    for name in ("service", "host"):
        if f"<{name}>" in pattern:
            parts[name] = named.field(name).take(numbers(place[sure])).dictionary_encode()
    stamps = found.stamps.pick(picked)
    shift = stop[sure] - block.start[sure]
    stamps = Stamps(stamps.time, stamps.sound, stamps.begin + shift, stamps.width, stamps.minute, stamps.kinds, stamps.read)
    none = np.zeros(len(sure), np.int64)
    service = named.field("service").take(numbers(place[sure]))
    return _Prefixed(rows, at[sure], begins, stamps, parts, _Found(rows, at[sure], begins, stamps, {}, inner, detector, none), service)


def _inside(kernel_of: Chooser, block: Rows, usable: Mask, parser: RowParser, line: int, count: int) -> tuple[Found, Detector, Format]:
    """What the kernel of the format that spoke last inside makes of a block of the rows inside, of a block of so many rows."""
    detector = parser.context.state.get("wrapped")
    if detector is None:
        raise Unsure("no row inside has been read yet")
    inner_parser = copy(parser)
    inner_parser.detector, inner_parser.counting, inner_parser.indented = detector, False, False
    kernel = kernel_of(inner_parser)
    if kernel is None or detector.favourites[0].name in WRAPPERS:
        raise Unsure("rows inside are of a format without a kernel")
    inner = detector.favourites[0]
    usable = usable & ~block.odd() & (block.end == block.start + block.size) & (block.size > 0)
    found = kernel.find(block, usable, inner, inner_parser, line)
    plan = parser.context.plan
    yearless = any("year_less" in kind for kind in found.stamps.kinds)
    if yearless and plan is not None and plan.year_at(line) != plan.year_at(line + count):
        raise Unsure("a new year may begin here")
    return found, detector, inner


def _adopted(columns: dict[str, Any], inner: Format, block: Rows, place: Positions, stream: Positions) -> dict[str, Any]:
    """The columns of envelopes that take over what the rows inside say; with `hinting` where the message is not theirs."""
    parts = {name: columns[name] for name in (*ADOPTED, "message") if name in columns}
    known = columns.get("fields", pa.nulls(len(place), pa.string()))
    if inner.name in LAST_RESORTS:  # a date that begins a message may be a part of it, unless a level stands beside it
        dated = pc.is_valid(columns["severity"])
        whole = block.cut(block.start[place], block.end[place])
        message = pc.if_else(dated, columns["message"], whole)
        known = pc.if_else(dated, known, one(None))
        told = values(dated)
        ids, hinting = request_ids(pc.binary_join_element_wise(message, one(""), one("")), ~told)
        parts |= {"message": message, "hinting": flags(hinting)}
        parts["request_id"] = pc.if_else(dated, columns["request_id"], ids)
    own = texts([f'"stream":"{name}"}}' for name in _STREAMS]).take(numbers(stream))
    alone = pc.binary_join_element_wise(one("{"), own, one(""))
    both = pc.binary_join_element_wise(pc.replace_substring_regex(known, r"\}$", ","), own, one(""))
    parts["fields"] = pc.if_else(pc.is_valid(known), both, alone)
    if "path" in parts:
        parts["path"] = parts["path"].cast(pa.string())
    return {name: encode(part) if name in ("host", "service", "severity", "client", "method", "upstream") else part for name, part in parts.items()}


def wrapped(kernel_of: Chooser) -> Kernel:
    """The kernel for rows in an envelope, which asks `kernel_of` for the one of the rows inside."""
    return Kernel(partial(find, kernel_of), joins=False)
