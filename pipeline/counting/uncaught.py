"""Exceptions that nobody caught, below a row that knew nothing of them: the runtime wrote them, without a time or a level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, numbers, one, texts, values

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

#: How runtimes begin what they write when nothing catches: java.lang.ThreadGroup.uncaughtException and HotSpot, CPython's traceback, Go's
#: panics and fatal errors, Rust's panics, Node's and .NET's unhandled exceptions, Ruby's `file:line:in 'method': text (Class)`.
_UNCAUGHT = (
    r"\n(?:Exception in thread \"|Traceback \(most recent call last\):|panic: |fatal error: |thread '[^']*' (?:\(\d+\) )?panicked at |"
    r"Unhandled [Ee]xception|Uncaught |\[?Unhandled ?[Rr]ejection|terminate called after throwing |"
    r"(?:Caused by: )?(?:[a-zA-Z_$][\w$]*\.)+[A-Z][\w$]*(?:Error|Exception)(?:: |\r?\n|\r?$)|[A-Z]\w*Error: [^\n]*\n +at )"
)
#: Levels that say that all is well.
_WELL = ("trace", "debug", "info", "notice")


def with_uncaught(events: pa.Table) -> pa.Table:
    """The events with the severity `error` where an exception that nobody caught stands below a row of no or of a calm level.

    A row at warning or above knew what follows it, and keeps its own.
    """
    longer = np.flatnonzero(values(events["lines"]) > 1)
    if not len(longer):
        return events
    severity = events["severity"].combine_chunks()
    severity = severity.cast(pa.string()) if pa.types.is_dictionary(severity.type) else severity
    calm = holds(pc.fill_null(pc.is_in(severity, value_set=texts(list(_WELL))), False)) | ~holds(pc.is_valid(severity))
    longer = longer[calm[longer]]
    if not len(longer):
        return events
    thrown = holds(pc.fill_null(pc.match_substring_regex(events["message"].take(numbers(longer)).combine_chunks(), _UNCAUGHT), False))
    if not thrown.any():
        return events
    raised = np.zeros(events.num_rows, np.bool_)
    raised[longer[thrown]] = True
    column = pc.if_else(flags(raised), one("error"), severity)
    return events.set_column(events.schema.get_field_index("severity"), "severity", column.cast(events.schema.field("severity").type))
