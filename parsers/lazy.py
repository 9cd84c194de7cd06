"""Regular expressions that are compiled when they are first asked.

Sixty formats hold some 200 patterns; a log has rows of a few formats. Compiling all of them takes longer than reading a short
window, so a format's pattern waits until a row comes that could be its.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Waiting:
    """Stands for a pattern until one of its methods is asked for; each method is then kept, so that asking again costs nothing."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what `copy` and `pickle` look for is no business of a pattern
            raise AttributeError(name)
        if name == "_compiled":
            self._compiled = re.compile(self.pattern, self._flags)
            return self._compiled
        value = getattr(self._compiled, name)
        setattr(self, name, value)
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return lazily, (self.pattern, self._flags)

    def __repr__(self) -> str:
        return f"lazily({self.pattern!r}, {self._flags})"


def lazily(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A pattern like that of `re.compile`, compiled at its first use; a wrong one raises `re.error` only then.

    It is no `re.Pattern` to functions of the module `re` (use its methods), and `match.re` of its matches is the compiled one.
    """
    return cast("re.Pattern[AnyStr]", _Waiting(pattern, flags))
