"""Which kernel reads the rows of a file: that of the format that spoke last in it."""

from __future__ import annotations

from ..detect import LAST_RESORT, TRUSTED_AFTER
from ..rowwise import RowParser
from .kernel import WRAPPERS, Kernel


def kernel_of(parser: RowParser) -> Kernel | None:
    """The kernel for the format that spoke last in the file, None when there is none."""
    favourites = parser.detector.favourites
    if not favourites or parser.indented:
        return None
    form = favourites[0]
    if form.priority >= LAST_RESORT and parser.detector.generic_run < TRUSTED_AFTER:
        return None
    if form.name == "access":  # each kernel is imported where a file asks for it
        from .access import ACCESS

        return ACCESS
    if form.name == "json":
        from .json_records import JSON

        return JSON
    if form.name == "logfmt":
        from .logfmt import LOGFMT

        return LOGFMT
    if form.name in WRAPPERS:
        from .wrapped import wrapped

        return wrapped(kernel_of)
    if form.name in ("nginx_error", "syslog_5424", "klog"):
        from .patterns import PATTERNS

        return PATTERNS
    from .heads import HEADS, has_head

    return HEADS if has_head(form) else None
