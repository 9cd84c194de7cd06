"""What the logs said, apart from requests: one row a pattern and bin, with its template and what it marks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from ....parsers.base import SEVERITIES
from ...counting.gist import ACTORS, SUBJECTS, telling, with_fields
from ...counting.patterns import templates
from .conversation import with_people
from .monitors import with_monitors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...counting.changes import Lexicon, Mark
    from ...counting.summary import Summary
    from ...window import Window
    from .change_records import ChangeRecord

_INSTANCE = re.compile(r"(?:[-_#@]\d+)+$")
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}", re.IGNORECASE)
_MARK = ("kind", "role", "weight", "routine", "subject", "actor", "phase")


def signs(summary: Summary, lexicon: Lexicon) -> pd.DataFrame:
    """The rows of the summary's `patterns` as a frame in order of time.

    `message` has the telling fields of a structured record behind it. Adds `template` (the pattern's constant part), `who`
    (service, or else the source), `where` (the machine), `group` (who and template: what counts as "the same thing again"), `rank` (0 debug .. 7 emergency, -1 unknown) and the columns of `changes.Mark`
    (`role` is null for a message that marks nothing).
    """
    table = summary.table("patterns")
    # plain None for "not known": Arrow's own null refuses to be asked whether it is anything, and its columns are slow row by row
    frame = pd.DataFrame({name: pd.Series(told, dtype=told.dtype) for name, told in zip(table.column_names, map(_plain, table.column_names, table.columns), strict=True)})
    signatures = frame["signature"].fillna("")
    unique = sorted(signatures.unique())
    frame["template"] = signatures.map(dict(zip(unique, templates(unique), strict=True)))
    # what has an address for a name is no writer
    has_name = frame["service"].notna() & ~frame["service"].astype(object).map(lambda name: _ADDRESS.search(str(name)) is not None)
    service = frame["service"].astype(object).where(has_name, frame["source"].astype(object))
    frame["who"] = service.map(_writer)
    frame["group"] = frame["who"].astype(str) + "\x1f" + frame["template"].astype(str)
    rank = {name: at for at, name in enumerate(SEVERITIES)}
    frame["rank"] = frame["severity"].astype(object).map(rank).fillna(-1).astype("int64")
    frame["where"] = _where(frame)
    fields = [telling(v, form) for v, form in zip(frame["fields"], frame["format"], strict=True)]
    frame["message"] = pd.Series([with_fields(m, f) for m, f in zip(frame["message"].fillna("").astype(object), fields, strict=True)], dtype=object)
    frame = frame.join(_marked(frame, lexicon))
    for column, keys in (("subject", SUBJECTS), ("actor", ACTORS)):
        # the record's own word for what it is about beats what can be guessed from its message
        named = [next((f[k] for k in keys if k in f), None) for f in fields]
        frame[column] = pd.Series(
            [own if own and role else guess for own, role, guess in zip(named, frame["role"], frame[column], strict=True)],
            index=frame.index, dtype=object,
        )  # fmt: skip
    ordered: pd.DataFrame = frame.sort_values(["time", "file", "line"], kind="stable", ignore_index=True)
    return with_people(with_monitors(ordered))


def _plain(name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Numbers of a column as they are, texts and what may be missing as objects."""
    if pa.types.is_integer(column.type) and name != "pid":
        return np.asarray(column.to_numpy(), np.int64)
    out = np.empty(len(column), object)
    out[:] = column.to_pylist()
    return out


def _where(frame: pd.DataFrame) -> pd.Series:
    """The machine a row tells of: its host, else the folder its log lies in, where several machines' logs are together."""
    tops = frame["source"].map(lambda source: str(source).split("/", 1)[0])
    if len({host for host in frame["host"] if host}) < 2:
        return pd.Series("", index=frame.index, dtype=object)
    return frame["host"].where(frame["host"].notna(), tops)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries by column name."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def varied(frame: pd.DataFrame, most: int = 5) -> pd.DataFrame:
    """At most so many rows of a frame in order of time: the first of each pattern before the second of any."""
    place = frame.groupby("group", sort=False).cumcount()
    return frame.loc[place.sort_values(kind="stable").index[:most]].sort_values(["time", "file", "line"], kind="stable")


def within(frame: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The rows whose first event lies in the window."""
    time = frame["time"].astype("int64")
    inside = pd.Series(True, index=frame.index)
    if window.start is not None:
        inside &= time >= window.start
    if window.end is not None:
        inside &= time < window.end
    return frame[inside]


@lru_cache(maxsize=10_000)
def _writer(name: str) -> str:
    """The name without an instance's number: worker-1 and worker-2 say the same things."""
    return _INSTANCE.sub("", name) or name


def _marked(frame: pd.DataFrame, lexicon: Lexicon) -> pd.DataFrame:
    """The mark of each row: worked out once a signature, and row by row only where it marks something."""
    keys = pd.Series(list(zip(frame["who"], frame["format"].astype(object), frame["rank"], frame["signature"], strict=True)))
    codes = pd.factorize(keys)[0].tolist()
    first = pd.Series(codes).drop_duplicates().index
    marks: list[Mark | None] = [None] * len(frame)
    sample = _ask(frame, list(first), lexicon)
    notable = {codes[i]: mark for i, mark in zip(first, sample, strict=True) if mark is not None}
    rest = [i for i, code in enumerate(codes) if code in notable and not notable[code].routine]
    for i, mark in zip(rest, _ask(frame, rest, lexicon), strict=True):
        marks[i] = mark
    for i, code in enumerate(codes):
        if code in notable and notable[code].routine:
            marks[i] = notable[code]
    return pd.DataFrame(
        {column: [getattr(mark, column) if mark else None for mark in marks] for column in _MARK}, index=frame.index, dtype=object
    )


def _ask(frame: pd.DataFrame, rows: list[int], lexicon: Lexicon) -> list[Mark | None]:
    part = frame.iloc[rows]

    def texts(name: str) -> list[str | None]:
        return [None if pd.isna(v) else str(v) for v in part[name]]

    return lexicon.mark_all(texts("who"), [t or "" for t in texts("message")], texts("severity"), texts("format"))


def extra_signs(records: Sequence[ChangeRecord], lexicon: Lexicon, signs: pd.DataFrame) -> pd.DataFrame:
    """The rows of `signs` and, at their times, changes that were recorded outside the logs; the columns stay the same.

    Each cites where it is recorded. A change is its own `group`: that it came before is never held against it.
    """
    if not records:
        return signs
    rows = []
    for record in records:
        mark = lexicon.recorded(record.kind, record.summary)
        who = "git" if record.file.startswith("git:") else record.file
        rows.append(
            {
                "time": record.time, "last_time": record.time, "second": record.time // 1_000_000, "count": 1,
                "source": record.file, "file": record.file, "line": record.line, "lines": record.data.count(b"\n") + 1,
                "offset": record.offset, "size": len(record.data), "service": who, "who": who, "message": record.summary,
                "signature": record.summary, "template": record.summary, "group": f"{who}\x1f{record.summary}", "rank": -1,
                **{column: getattr(mark, column) for column in _MARK}, "subject": record.subject or mark.subject,
            }
        )  # fmt: skip
    extra = pd.DataFrame(rows, dtype=object).reindex(columns=signs.columns)
    # what is worked out in Python has no type of its own while the frame is empty
    typed = {name: kind for name, kind in signs.dtypes.items() if kind.kind == "i" or name == "rank"}
    extra = extra.where(extra.notna(), None).astype(typed)
    both = pd.concat([signs, extra]) if len(signs) else extra
    return both.sort_values(["time", "file", "line"], kind="stable", ignore_index=True)
