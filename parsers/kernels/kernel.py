"""What a kernel is: the rows of a block in, the events it is sure of out, as columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from ..arrays import numbers, texts
from ..base import Format
from ..rowwise import RowParser
from .rows import Mask, Positions, Rows, Stamps

#: Formats whose rows hold rows of another one; what is wrapped twice is read row by row.
WRAPPERS = ("cri", "docker", "compose", "kubectl")


class Found(Protocol):
    """What a kernel found in a block: the rows (by number, ascending) whose event it can tell, with their stamps.

    `begins` marks all rows that begin an event of the format for certain, also those whose columns it cannot tell.
    """

    rows: Positions
    begins: Mask
    stamps: Stamps

    def settle(self, end: Positions) -> Mask:
        """Given where each event's last row ends, which of them the kernel is still sure of."""
        ...

    def columns(self, picked: Positions) -> dict[str, pa.Array]:
        """The columns of the picked events (places in `rows`), but for those that `parse_block` fills."""
        ...

    def ready(self, parser: RowParser) -> bool:
        """Whether a row read now would be read as the kernel has read it, as far as that hangs on what is within its rows."""
        ...

    def passed(self, parser: RowParser, picked: Positions) -> None:
        """Leaves what formats remember of their rows as reading the picked ones would."""
        ...

    def named(self, form: Format) -> str:
        """The format that the events name: that of the rows, or that within them."""
        ...


@dataclass(frozen=True, slots=True)
class Kernel:
    """How one format is read by columns; `joins` says whether rows that go on an event end up in its message as they are."""

    find: Callable[[Rows, Mask, Format, RowParser, int], Found]
    joins: bool = True


def constant(value: str | None, count: int) -> pa.Array:
    """A dictionary column of one value."""
    if value is None:
        return pa.nulls(count, pa.dictionary(pa.int32(), pa.string()))
    return pa.DictionaryArray.from_arrays(numbers(np.zeros(count, np.int32)), texts([value]))


def encode(texts: Any) -> pa.Array:
    """A text column as the event table has it: dictionary-encoded with 32-bit indices."""
    return texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
