"""Which page or call is this: a request path without its query and with its variable parts marked `{id}`.

A part of the path is variable by its own looks alone (a number, a digest, a long token), never because of its neighbours, so
an endpoint does not depend on which requests it came with. `grouped` looks at the neighbours afterwards, where a site puts
names into its paths ("/wiki/Some_Page") and every page would be an endpoint of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, numbers, one
from ...parsers.kernels.rows import bytes_of, cut

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

#: What stands for a variable part.
ID = "{id}"
#: The endpoint of paths that no room was left for.
OTHER = "(other)"
_LONGEST = 400
_DEEPEST = 12

_HEX_WITH_DIGIT = "|".join(f"[a-fA-F]{{{k}}}[0-9][0-9a-fA-F]{{{7 - k},}}" for k in range(8))
_LONG_WITH_DIGIT = "|".join(f"[A-Za-z_~-]{{{k}}}[0-9][\\w~-]{{{19 - k},}}" for k in range(20))
#: One part of a path that is a value (RE2; each slash stands twice by then, so parts do not share one).
_PARTS = (
    r"[+-]?[0-9]+(?:[.,:_-][0-9]+)*",  # number, date, coordinates, version
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",  # uuid
    _HEX_WITH_DIGIT,
    r"[0-9a-fA-F]{16,}",
    r"[\w~-]*[0-9]{3,}[\w~-]*",  # a word with a number of three digits or more: order-10482
    _LONG_WITH_DIGIT,
    r"[\w~=+-]{40,}",
    r"[^/]*@[^/]*",  # mail address, @handle
    r"[^/]*%[0-9a-fA-F]{2}[^/]*",  # text that had to be escaped
    r"[^/]*[^/\x21-\x7e][^/]*",  # text that should have been
    r"\{[^/]*\}|:[a-z]\w*|<[^/]*>",  # a route written as one: /users/:id
)
_PART = "|".join(_PARTS)
_STEM = rf"(?:[0-9]+(?:[._-][0-9]+)*|{_HEX_WITH_DIGIT}|[\w~-]*[0-9]{{5,}}[\w~-]*)"
_STEPS = (
    (r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*", ""),  # the absolute form, as proxies log it
    (r"[?#;][\s\S]*$", ""),
    (r"/+", "//"),
    (r"$", "/"),
    (rf"/(?:{_PART})/", f"/{ID}/"),
    (rf"/{_STEM}(\.[A-Za-z][A-Za-z0-9]{{0,5}})+/$", rf"/{ID}\1/"),  # 1234.jpg
    (
        rf"/([\w~-]+[._-])(?:{_HEX_WITH_DIGIT}|[0-9]{{3,}})((?:\.[A-Za-z][A-Za-z0-9]{{0,5}})+)/$",
        rf"/\1{ID}\2/",
    ),  # app.3f9a2b1c.js
    (r"/$", ""),
    (r"//", "/"),
)


def endpoints(paths: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """The endpoint of each path: "/product/42/image?w=3" is "/product/{id}/image".

    Takes request targets as they were logged (text, or dictionary-encoded), gives a dictionary of int32 and string of the
    same length; null stays null. Names of files are kept but for numbers and digests in them. A path longer or deeper than
    any site's is cut, with "..." at its end.
    """
    if isinstance(paths, pa.ChunkedArray):
        paths = paths.combine_chunks()
    if not pa.types.is_dictionary(paths.type):
        paths = paths.cast(pa.string()).dictionary_encode()
    known = pa.concat_arrays([paths.dictionary.cast(pa.string()), pa.nulls(0, pa.string())])  # no slice of another
    alike = forms(known).dictionary_encode()
    found = _of(alike.dictionary).take(alike.indices)
    shown = np.flatnonzero(holds(pc.match_substring(found, MANY)))
    if len(shown):  # a number that is no part of its own: which one it is matters
        mask = np.zeros(len(known), np.bool_)
        mask[shown] = True
        found = pc.replace_with_mask(found, flags(mask), _of(known.take(numbers(shown))))
    encoded = found.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(paths.indices).cast(pa.int32()), encoded.dictionary)


#: What digits of longer numbers are in the form of a path: where an endpoint shows it, the number itself is asked.
MANY = "000"


def forms(paths: pa.Array) -> pa.Array:
    """Paths (texts, no slice of others) without their queries, digits of numbers of three or more made zeros.

    Paths of one form have one endpoint, unless it shows `000`: every rule treats all digits alike. There are far fewer of them.
    """
    offsets, data = bytes_of(paths)
    asks = np.flatnonzero(data == 63)
    if len(asks):
        row = np.searchsorted(offsets, asks, "right") - 1
        first = np.diff(row, prepend=-1) > 0
        begin, end = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
        end[row[first]] = asks[first]
        bare = cut(paths, begin, end)
        paths = bare if not paths.null_count else pc.if_else(pc.is_valid(paths), bare, one(None))
        offsets, data = bytes_of(paths)
    if len(data) < len(MANY):
        return paths
    digit = (data - np.uint8(48)) < 10
    run = digit[:-2] & digit[1:-1] & digit[2:]
    begins = np.zeros(len(data) + 1, np.bool_)
    begins[offsets] = True
    run &= ~(begins[1:-2] | begins[2:-1])
    many = np.zeros(len(data), np.bool_)
    for place in range(3):
        many[place : place + len(run)] |= run
    alike = pa.py_buffer(np.where(many, np.uint8(48), data))
    return pa.Array.from_buffers(pa.string(), len(paths), [paths.buffers()[0], pa.py_buffer(offsets), alike], paths.null_count)


def _of(paths: pa.Array) -> pa.Array:
    """The endpoint of each path, step by step."""
    texts = pc.utf8_slice_codeunits(paths, 0, _LONGEST)
    for pattern, by in _STEPS:
        texts = pc.replace_substring_regex(texts, pattern, by)
    texts = pc.replace_substring_regex(texts, rf"^((?:/[^/]*){{{_DEEPEST}}})/.*$", r"\1/...")
    return pc.if_else(pc.equal(texts, one("")), one("/"), texts)


def coarser(values: pa.Array, level: int) -> pa.Array:
    """Endpoints cut to fewer, for a table that outgrows its room: four parts of the path, two, one, then `OTHER`.

    It looks at one endpoint at a time, and coarsening in steps gives what coarsening at once gives, so blocks may do it
    before or after they are merged.
    """
    if level <= 0:
        return values
    if level >= 4:
        return pc.if_else(pc.is_valid(values), one(OTHER), one(None))
    parts = {1: 4, 2: 2, 3: 1}[level]
    return pc.replace_substring_regex(values, rf"^((?:/[^/]*){{{parts}}})/.*$", r"\1/...")


def grouped(values: Sequence[str], most: int = 30) -> list[str]:
    """Endpoints with a part marked `{name}` where more than `most` different ones stand in one place.

    "In one place": all parts before are equal, and so is the number of parts; the answer does not depend on the order.
    The first part of a path is never a name, since that is where sites keep their pages apart.
    """
    rows = {value: value.split("/") for value in values}
    for place in range(2, _DEEPEST + 2):
        seen: dict[tuple[int, tuple[str, ...]], set[str]] = {}
        for row in rows.values():
            if len(row) > place:
                seen.setdefault((len(row), tuple(row[:place])), set()).add(row[place])
        for row in rows.values():
            if len(row) > place and ID not in row[place] and len(seen[len(row), tuple(row[:place])]) > most:
                row[place] = "{name}"
    return ["/".join(rows[value]) for value in values]
