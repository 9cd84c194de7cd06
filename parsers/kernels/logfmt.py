"""logfmt by columns: what `kernels_json` does for records, for rows of pairs.

A pair has the places of two strings, its key and its value, as if both stood in quotes. Rows that are more than pairs with one
space between, and those with escapes, are left to the format.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import holds
from ..base import Format
from .json_kinds import NUMBERS, Token
from .json_records import Found, Records, found_in
from .kernel import Kernel
from .rows import Mask, Positions, Rows, Unsure, pc

if TYPE_CHECKING:
    from ..rowwise import RowParser

_PAIR = re.compile(r'([^\s="]+)=("[^"]*"|[^\s"]*)(?: |$)')
#: What the columns with numbers take: whole numbers, and decimals for durations (a unit behind one is left to the format).
_PLAIN = {"pid": r"^-?[0-9]{1,18}$", "bytes": r"^-?[0-9]{1,18}$", "duration": r"^-?[0-9]{1,14}(?:\.[0-9]{1,9})?$"}


class _Pairs(Records):
    """The rows of a block that are pairs from end to end."""

    def __init__(self, rows: Rows, candidates: Mask) -> None:
        self.rows = self.said = self.written = rows
        data, quotes = rows.data, rows.places(34)
        usable = candidates & ~rows.holding(rows.places(92)) & ~rows.holding(rows.places(9))
        first_quote = np.searchsorted(quotes, rows.start)
        spaces = rows.places(32)
        row = np.searchsorted(rows.start, spaces, "right") - 1
        spaces, row = spaces[usable[row]], row[usable[row]]
        apart = (np.searchsorted(quotes, spaces) - first_quote[row]) % 2 == 0  # not within quotes
        spaces, row = spaces[apart], row[apart]
        pairs = np.where(usable, np.bincount(row, minlength=len(rows)) + 1, 0)
        begin = np.sort(np.concatenate([rows.start[usable], spaces + 1]))
        end = np.sort(np.concatenate([spaces, rows.end[usable]]))
        row = np.repeat(np.arange(len(rows)), pairs)
        sign = rows.first_after(rows.places(61), begin, end)
        quoted = data[np.minimum(sign + 1, len(data) - 1)] == 34
        inside = np.searchsorted(quotes, end) - np.searchsorted(quotes, begin)
        closed = (data[np.maximum(end - 1, 0)] == 34) & (end > sign + 2) & (inside == 2)
        good = (sign > begin) & (sign < end) & np.where(quoted, closed, inside == 0)
        usable &= np.bincount(row[~good], minlength=len(rows)) == 0
        kept = usable[row]
        begin, end, sign, quoted = begin[kept], end[kept], sign[kept], quoted[kept]
        self.at = np.flatnonzero(usable)
        self.count = pairs[usable] * 4
        self.first = np.cumsum(self.count) - self.count
        self.quotes = np.stack([begin - 1, sign, sign + quoted, end - quoted], axis=1).reshape(-1)

    def keys(self) -> Mask:
        """Every other string."""
        return np.asarray(np.arange(len(self.quotes) // 2) % 2 == 0)

    def between(self, row: Positions) -> tuple[Any, Mask, Mask]:
        """Nothing that tells skeletons apart."""
        del row
        every = np.ones(len(self.at), np.bool_)
        return np.zeros(len(self.quotes) // 2, np.uint64), every, every.copy()

    def members(self, text: str) -> list[Token] | None:
        """The pairs of one row; None where a key stands twice."""
        found = _PAIR.findall(text)
        if len({key for key, _ in found}) < len(found):
            return None
        return [Token(key, 4 * at, value, value.strip('"')) for at, (key, value) in enumerate(found)]


class _Found(Found):
    closing = '"}'

    def settle(self, end: Positions) -> Mask:
        """As for records; numbers must be plain ones as well."""
        sure = super().settle(end)
        for place, name in enumerate(NUMBERS):
            spot, _, _ = np.array([k.numbers[place] for k in self.kinds], np.int64)[self.kind].T
            here = np.flatnonzero(spot >= 0)
            if len(here):
                at = self.first[here] + spot[here] + 1
                text = self.records.rows.cut(self.records.quotes[at + 1] + 1, self.records.quotes[at + 2])
                sure[here] &= holds(pc.match_substring_regex(text, _PLAIN[name]))
        return sure

    def _value(
        self, at: Positions, shift: Any, first: Positions, following: Positions, before: Positions, end: Positions
    ) -> Any:
        """The value behind the key that ends at a place."""
        del shift, first, following, before, end
        last = len(self.records.quotes) - 1
        begin = self.records.quotes[np.minimum(at + 1, last)] + 1
        return self.records.rows.cut(begin, np.maximum(begin, self.records.quotes[np.minimum(at + 2, last)]))


def find(rows: Rows, candidates: Mask, form: Format, parser: RowParser, line: int) -> Found:
    """The rows whose keys were read by the format itself."""
    if not len(rows.places(61)):
        raise Unsure("no row has pairs")
    return found_in(_Pairs(rows, candidates), _Found, form, parser.context, line)


LOGFMT = Kernel(find, joins=True)
__all__ = ["LOGFMT"]
