"""Which format speaks: per line, with a few favourites per file so that asking every format is rare."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .base import Event, Format
from .columns import pattern_event
from .lazy import lazily
from .timestamps import TimeContext

if TYPE_CHECKING:
    import pyarrow as pa

#: A row that could begin an event has, near its start, a time of day, an epoch, a brace, a pair or a bracketed number.
_MAY_START = lazily(r"\d\d?[:.]\d\d|\d\d-\d\d-\d\d|\d{6}|^\s?[\[({<=@#*_\"!]|\S=|^[A-Z][A-Za-z.]*[:\[]|^[a-z]{4}: \w|^-- ?\w|^>>> |^[a-z0-7]{3,8} *:[a-z]{3,6} *: |^[0-9A-F]{12},\d")
#: An indented row that begins an event all the same: one or two blanks, or up to four and a level behind the time (Consul).
_DATE = r"\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d:\d\d"
_INDENTED = lazily(rf"^(?: {{1,2}}{_DATE}| {{3,4}}{_DATE}[^ ]* \[?(?:TRACE|DEBUG|INFO|WARN|WARNING|ERR|ERROR)\b)")
_ANSI = lazily(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]{0,200}\x07")
#: Rows of a format of last resort after which the particular ones are no longer asked first.
TRUSTED_AFTER = 64
#: Formats from this priority on take any row with a time: they are asked last.
LAST_RESORT = 90
#: From this priority on, the time may stand anywhere: they are asked only where no row leads with its time.
EMBEDDED = 99
#: Formats before this priority are somebody's own: they are asked of every row, whatever it begins with.
BUILT_IN = 10
_FAVOURITES = 4
_CHARACTERS = 256  # first characters of rows for which the formats to ask are kept


@lru_cache(maxsize=1)
def registry() -> tuple[Format, ...]:
    """All formats, those asked first first: every `Format` found in the modules of `retrolog.parsers.formats`.

    A new family is a new module there with a `FORMATS` tuple; nothing else lists it. Installed packages add theirs by an
    entry point (see `retrolog.parsers.custom.declared`).
    """
    from . import formats
    from .custom import declared

    found: list[Format] = []
    for module in sorted(pkgutil.iter_modules(formats.__path__), key=lambda item: item.name):
        loaded = importlib.import_module(f"{formats.__name__}.{module.name}")
        found.extend(getattr(loaded, "FORMATS", ()))
    found.extend(declared({form.name for form in found}))
    return tuple(sorted(found, key=lambda item: (item.priority, item.name)))


def may_start(texts: pa.Array) -> pa.Array:
    """Whether each text has what an event could begin with; the rule of `Detector.parse` for many rows at once."""
    import pyarrow.compute

    compute: Any = pyarrow.compute  # its functions are made at import time: no checker sees them
    return compute.match_substring_regex(texts, _MAY_START.pattern)


def starts_indented(text: str) -> bool:
    """Whether a row that begins with blanks may begin an event: a whole date and a time of day stand there."""
    return text[:1] == " " and _INDENTED.match(text) is not None


def start_indented(texts: pa.Array) -> pa.Array:
    """Whether each indented text may begin an event; the rule of `starts_indented` for many rows at once."""
    import pyarrow.compute

    compute: Any = pyarrow.compute
    return compute.match_substring_regex(texts, _INDENTED.pattern)


def clean(text: str) -> str:
    """The row as the parsers see it: without colour codes, and without the NULs that a crash leaves before it."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if text[:1] in ("\0", "\ufeff"):
        text = text.lstrip("\0\ufeff")
    return text


def parse_with(candidate: Format, text: str, context: TimeContext) -> Event | None:
    """The event that begins with this row as this format reads it; None when the row is not the format's."""
    if candidate.first and text[:1] not in candidate.first:
        return None
    if candidate.parse is not None:
        return candidate.parse(text, context)
    if candidate.pattern is None:
        return None
    match = candidate.pattern.match(text)
    return pattern_event(candidate.name, match, context) if match is not None else None


@lru_cache(maxsize=8)
def formats_with(own: tuple[Format, ...]) -> tuple[Format, ...]:
    """All formats and a user's own ones; an own format replaces the one of the same name."""
    if not own:
        return registry()
    names = {form.name for form in own}
    return tuple(sorted([*own, *(f for f in registry() if f.name not in names)], key=lambda item: (item.priority, item.name)))


class Detector:
    """Finds the format of each row of one file; what spoke last is asked first."""

    def __init__(self, context: TimeContext, formats: tuple[Format, ...] | None = None) -> None:
        self.context = context
        self.formats = registry() if formats is None else formats
        self.own = tuple(form for form in self.formats if form.priority < BUILT_IN)
        self.favourites: list[Format] = []
        self.generic_run = 0
        self._begun_by: dict[str, tuple[Format, ...]] = {}

    def take_over(self, other: Detector) -> None:
        """Makes this detector prefer what another one has found in the same file."""
        self.favourites = list(other.favourites)
        self.generic_run = other.generic_run

    def passed(self, form: Format, events: int) -> None:
        """Takes note of events of the first favourite that were read without asking."""
        self.generic_run = self.generic_run + events if form.priority >= LAST_RESORT else 0

    def prepare(self, rows: Sequence[bytes]) -> None:
        """Tells own formats which rows they will be asked about."""
        ahead = [form.prepare for form in self.own if form.prepare is not None]
        if ahead:
            texts = [clean(row.removesuffix(b"\r").decode("utf-8", "replace")).lstrip(" \t") for row in rows]
            for prepare in ahead:
                prepare(texts)

    def parse(self, text: str) -> tuple[Format, Event] | None:
        """The format and the event that begins with this (cleaned) row, None when no event begins here."""
        context = self.context
        for favourite in self.favourites:
            if favourite.priority < LAST_RESORT or self.generic_run >= TRUSTED_AFTER:
                event = parse_with(favourite, text, context)
                if event is not None:
                    return self._found(favourite, event)
        formats = self._beginning_with(text[:1]) if _MAY_START.search(text[:400]) else self.own
        for candidate in formats:
            if candidate in self.favourites and candidate.priority < LAST_RESORT:
                continue
            event = parse_with(candidate, text, context)
            if event is not None:
                return self._found(candidate, event)
        return None

    def _beginning_with(self, first: str) -> tuple[Format, ...]:
        """The formats whose rows can begin with this character, in the order of asking."""
        found = self._begun_by.get(first)
        if found is None:
            found = tuple(form for form in self.formats if not form.first or first in form.first)
            if len(self._begun_by) < _CHARACTERS:
                self._begun_by[first] = found
        return found

    def _found(self, found: Format, event: Event) -> tuple[Format, Event]:
        self.generic_run = self.generic_run + 1 if found.priority >= LAST_RESORT else 0
        favourites = self.favourites
        if not favourites or favourites[0] is not found:
            if found in favourites:
                favourites.remove(found)
            favourites.insert(0, found)
            del favourites[_FAVOURITES:]
        if not event.format:
            event.format = found.name
        return found, event
