"""Looks at rows all over an access log to learn what the whole numbers at their end count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...parsers.detect import clean
from ...parsers.formats.access import tail_numbers
from ...parsers.lazy import lazily
from ...parsers.timestamps import TimeContext, read_time
from ...parsers.units import Row, Unit, plan_unit
from .read import read_blocks

if TYPE_CHECKING:
    from .logfile import LogFile

#: Behind a request, its status, its size and what else is quoted: a whole number among what is left.
_NUMBERED = lazily(rb'\[[^\]]{20,40}\] ".*" \d{3} (?:\d+|-)(?: "[^"]*")*(?: [^" ]+)*? \d{1,15}(?:/\d{1,15})?(?:[ ,]|\r?$)')
#: Stretches of a plain file that are looked at, and bytes of each; bytes of a packed one.
_STRETCHES, _STRETCH, _PACKED = 32, 8 << 10, 512 << 10


def ends_in_numbers(rows: Sequence[bytes]) -> bool:
    """Whether rows of an access log may end in a whole number that is not the size."""
    return any(_NUMBERED.search(row) for row in rows[:20])


def unit_of(file: LogFile, head: Sequence[bytes]) -> Unit | None:
    """What the whole numbers at the end of a log's rows count; None where its first rows have none, or no duration."""
    if not ends_in_numbers(head):
        return None
    context = TimeContext()
    found: list[Row] = []
    for stretch, row in _rows(file):
        told = tail_numbers(clean(row.removesuffix(b"\r").decode("utf-8", "replace")))
        reading = read_time(told[0], context) if told is not None else None
        if told is not None and reading is not None and reading[1] is not None:
            _, event, numbers = told
            found.append(Row(stretch, reading[1] // 1_000_000, event.client, event.method, event.bytes, numbers))
    return plan_unit(found)


def _rows(file: LogFile) -> Iterator[tuple[int, bytes]]:
    """Rows of stretches all over a plain file, of the beginning of a packed one, each with the number of its stretch."""
    if file.packed:
        blocks = read_blocks(file, block_size=_PACKED)
        try:
            yield from ((0, row) for block in (next(iter(blocks), None),) if block is not None for row in block.data.split(b"\n")[:-1])
        finally:
            blocks.close()
        return
    with file.open_slice([]) as place:
        for stretch, at in enumerate(range(0, place.size, max(_STRETCH, place.size // _STRETCHES))):
            yield from ((stretch, row) for row in place.pread(at, _STRETCH).split(b"\n")[1 if at else 0 : -1])
