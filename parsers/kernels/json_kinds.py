"""What one JSON record of a kind says about all of its kind: where in the row each column stands.

`kind_of` reads a record by the format itself and finds each of the event's values among the record's members. What it cannot
place in one way only (a value that stands twice, a time in a nested object, a request in one text) makes no kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ..base import Event, Format
from ..columns import HTTP_KEYS
from ..formats.json_lines import _HOST_KEYS, _PID_KEYS, _SERVICE_KEYS, MESSAGE_KEYS, flatten, is_envelope
from ..tables import fields_text
from ..timestamps import epoch_time
from .heads import event_alone

if TYPE_CHECKING:
    from ..timestamps import TimeContext

TEXTS = ("host", "service", "message", "client", "path", "upstream", "request_id", "method")
NUMBERS = ("pid", "bytes", "duration")
#: Places of a message that is no string of the record: the whole row, or method, path and status.
WHOLE, REQUEST = -2, -3
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?$")
_STAMPED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?$|\d{13}$|\d{16}$|\d{18,19}$")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_SPACED = re.compile(r'\{"[^"]*": ')
_DEEPEST = 6  # objects within objects that are looked at
#: A message made from another key's value is cut short by the format beyond this.
LONGEST_MADE = 100


@dataclass(frozen=True, slots=True)
class Token:
    """A member of a record: its key, where the key's quotes are among the row's, and its value as written."""

    key: str
    quote: int  # number of the key's opening quote
    value: str
    text: str | None  # the value where it is a string
    inner: tuple[Token, ...] = ()  # the members of the object that it is, their keys with its own before them: `http.method`


def everything(members: Iterable[Token]) -> Iterator[Token]:
    """The members and all within them."""
    for member in members:
        yield member
        yield from everything(member.inner)


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind's columns stand: the number of the quote before a value's key, -1 for none, or a constant."""

    severity: str | None
    status: int | None
    consts: tuple[str | None, ...]  # of TEXTS
    quotes: tuple[int, ...]  # of TEXTS: opening quote of the value; WHOLE and REQUEST for some messages
    numbers: tuple[tuple[int, int, int], ...]  # of NUMBERS: opening quote of the key, and of the next one (-1: there is none), and the bytes before that
    divisor: float
    leading: tuple[str, ...]  # of each run of left-over members: the text before it
    left: tuple[tuple[int, int, int], ...]  # of each: its key's opening quote, the next key's, and whether the key is in the run
    gap: int  # spaces after a colon and a comma
    made: bool  # the message is a value of another key, which the format cuts short
    told: bool  # a request id or a method is named: the message is not asked for one

    @classmethod
    def none(cls) -> Kind:
        """What stands for a kind that could not be read."""
        return cls(None, None, (None,) * len(TEXTS), (-1,) * len(TEXTS), ((-1, -1, 0),) * len(NUMBERS), 1.0, (), (), 0, False, True)


@dataclass(frozen=True, slots=True)
class Read:
    """What reading one record came to: its kind (None: it cannot tell), its time, and the quote that opens the stamp or its key."""

    kind: Kind | None
    time: int
    assumed: tuple[str, ...]
    stamp: int


def tokens(text: str) -> list[Token] | None:
    """The members of a record in order; None where it is not written in one of the two usual styles, or a key stands twice."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    gap = " " if _SPACED.match(text) else ""
    found = _members(text, 0, gap, 0, "")
    return found[0] if found is not None and found[0] and found[1] == len(text) else None


def _members(text: str, at: int, gap: str, quotes: int, prefix: str) -> tuple[list[Token], int] | None:
    """The members of the object that begins at a place of valid JSON, and where it ends; `quotes` stand before it."""
    out: list[Token] = []
    decoder = json.JSONDecoder()
    at += 1
    if text[at] == "}":
        return out, at + 1
    while text[at] == '"':
        key, end = decoder.raw_decode(text, at)
        lead = f"{json.dumps(key, ensure_ascii=False)}:{gap}"
        if not text.startswith(lead, at) or any(prefix + key == token.key for token in out):
            return None
        begin = at + len(lead)
        value, end = decoder.raw_decode(text, begin)
        inner: list[Token] = []
        if isinstance(value, dict) and prefix.count(".") < _DEEPEST:
            found = _members(text, begin, gap, quotes + _quotes(lead), f"{prefix}{key}.")
            if found is None:
                return None
            inner = found[0]
        written = text[begin:end]
        out.append(Token(prefix + key, quotes, written, value if isinstance(value, str) else None, tuple(inner)))
        quotes += _quotes(lead) + _quotes(written)
        if text[end] == "}":
            return out, end + 1
        if not text.startswith("," + gap, end):
            return None
        at = end + 1 + len(gap)
    return None


def _quotes(text: str) -> int:
    """How many quotes stand in a piece of JSON, escaped ones aside."""
    return (re.sub(r"\\.", "", text) if "\\" in text else text).count('"')


def sample_of(records: list[list[Token] | None]) -> Token | None:
    """The first member of the records that is a stamp, or a number that could be one."""
    known = [member for members in records for member in members or ()]
    texts = (m for m in known if m.text is not None and _STAMPED.match(m.text))
    return next(texts, None) or next((m for m in known if m.text is None and _EPOCH.match(m.value)), None)


def kind_of(text: str, members: list[Token], form: Format, context: TimeContext, sample: Token) -> Read | None:
    """What a record says of its kind; None when it has no stamp like the sample's, or not one only."""
    event, assumed = event_alone(text, form, context)
    if event is None or event.time is None:
        return None
    stamps = [m for m in members if _like(m, sample, event.time) and m.key not in event.fields]
    if len(stamps) != 1:
        return None
    stamp = stamps[0]
    opening = stamp.quote + (2 if stamp.text is not None else 1)
    return Read(_placed(text, members, event, stamp.key, context), event.time, assumed, opening)


def _like(member: Token, sample: Token, time: int) -> bool:
    if sample.text is None:
        if member.text is not None or not _EPOCH.match(member.value):
            return False
        return epoch_time(float(member.value) if "." in member.value else int(member.value)) == time
    said = member.text
    return said is not None and len(said) == len(sample.text) and re.sub(r"\d", "0", said) == re.sub(r"\d", "0", sample.text)


def _placed(text: str, members: list[Token], event: Event, stamp: str, context: TimeContext) -> Kind | None:
    """Where the event's values stand among the members; None where that is not certain for all records alike."""
    gap = 1 if _SPACED.match(text) else 0
    keys = {m.key for m in members}
    paired = not text.startswith("{")  # logfmt: every value is a text
    within = [m for member in members for m in everything(member.inner)]
    nested = set() if paired else flatten(json.loads(text)).keys() - keys
    if not nested <= {m.key for m in within} or len({m.key for m in [*members, *within]}) < len(members) + len(within):
        return None  # deeper than is looked at, or one dotted key twice
    if "request" in keys or is_envelope(keys | nested) or ("type" in keys and not keys & {"level", "severity"}):
        return None  # a text that is a request or a row of its own; Kubernetes' word for a level
    if event.severity is None and context.state.get("text_first"):
        return None
    used = {stamp}
    free = [m for m in members if m.key not in event.fields]
    consts: list[str | None] = []
    quotes: list[int] = []
    made = False
    for name in TEXTS:
        said = getattr(event, name)
        consts.append(said if said is None or said == "" else None)
        if said is None or said == "":
            quotes.append(-1)
            continue
        if name == "message" and said == text:
            quotes.append(WHOLE)
            continue
        end = "" if event.status is None else f" {event.status}"
        if name == "message" and event.method is not None and said == f"{event.method} {event.path}{end}":
            quotes.append(REQUEST)
            continue
        found = [m for m in [*free, *within] if m.key not in used and m.text is not None]
        if name == "message":
            found = [m for m in [*members, *within] if m.key not in used and m.text is not None and m.text.rstrip("\n") == said]
            named = [m for m in found if m.key in MESSAGE_KEYS and m.key not in event.fields]
            made = not named
            found = named or [m for m in found if len(said) <= LONGEST_MADE and m.text == said]
        else:
            found = _asked_first([m for m in found if m.text == said], name)
        if len(found) != 1:
            return None
        if not made or name != "message":
            used.add(found[0].key)
        quotes.append(found[0].quote + 2)
    spots: list[tuple[int, int, int]] = []
    after = {m.key: n.quote for m, n in pairwise(members)}
    divisor = 1.0
    for name in NUMBERS:
        said = getattr(event, name)
        if said is None:
            spots.append((-1, -1, 0))
            continue
        numeric = [m for m in [*free, *within] if (paired or m.text is None) and _NUMBER.match(m.value) and m.key not in used]
        options = [(m, d) for m in numeric for d in ((1.0, 1e3, 1e6, 1e9) if name == "duration" else (1.0,)) if float(m.value) / d == said]
        first = _asked_first([m for m, _ in options], name)
        options = [(m, d) for m, d in options if m in first]
        if len(options) != 1 or (name == "duration" and said == 0):
            return None
        used.add(options[0][0].key)
        divisor = options[0][1] if name == "duration" else divisor
        spots.append((options[0][0].quote, after.get(options[0][0].key, -1), 1 + gap) if paired else _spot(text, options[0][0], gap))
    leading, left = _left_over_pairs(members, event) if paired else _left_over(members, event, gap, after)
    if list(event.fields) != [m.key for m in members if m.key in event.fields] or fields_text(event.fields) != _written(members, event):
        return None
    told = event.request_id is not None or event.method is not None
    return Kind(
        event.severity, event.status, tuple(consts), tuple(quotes), tuple(spots), divisor, leading, left, gap, made, told,
    )  # fmt: skip


def _asked_first(members: list[Token], name: str) -> list[Token]:
    """Of members of one value the one that the format asks for this column before the others; all where it asks for none of them."""
    asked = {"host": _HOST_KEYS, "service": _SERVICE_KEYS, "pid": _PID_KEYS}.get(name, HTTP_KEYS.get(name, ()))
    rank = {key: at for at, key in enumerate(asked)}
    known = [m for m in members if m.key in rank or m.key.lower() in rank]
    return [min(known, key=lambda m: rank.get(m.key, rank.get(m.key.lower(), 0)))] if known and len(members) > 1 else members


def _spot(text: str, member: Token, gap: int) -> tuple[int, int, int]:
    """Where a number stands between its key's quotes and the next quote, or the end of the row: see `Kind.numbers`."""
    marks = [m.start() for m in re.finditer(r'\\.|"', text) if m[0] == '"']
    value = marks[member.quote + 1] + 2 + gap
    following = member.quote + 2 if member.quote + 2 < len(marks) else -1
    stop = marks[following] if following >= 0 else len(text)
    return member.quote, following, stop - value - len(member.value)


def _left_over(
    members: list[Token], event: Event, gap: int, after: dict[str, int]
) -> tuple[tuple[str, ...], tuple[tuple[int, int, int], ...]]:
    """The members that fill no column: the text before each, or before each run of them where no spaces stand between."""
    leading: list[str] = []
    left: list[tuple[int, int, int]] = []
    ending = -2  # the quote at which the run before ends
    for member in members:
        if member.key not in event.fields:
            continue
        following = after.get(member.key, -1)
        mark = "," if left else "{"
        if gap:
            leading.append(f"{mark}{json.dumps(member.key, ensure_ascii=False)}:")
            left.append((member.quote, following, 0))
        elif ending == member.quote:
            left[-1] = (left[-1][0], following, 1)
        else:
            leading.append(mark)
            left.append((member.quote, following, 1))
        ending = following
    return tuple(leading), tuple(left)


def _left_over_pairs(members: list[Token], event: Event) -> tuple[tuple[str, ...], tuple[tuple[int, int, int], ...]]:
    """The same for pairs, whose values become strings of JSON."""
    kept = [m for m in members if m.key in event.fields]
    leading = tuple(("\"," if at else "{") + json.dumps(m.key) + ":\"" for at, m in enumerate(kept))
    return leading, tuple((m.quote, -1, 0) for m in kept)


def _written(members: list[Token], event: Event) -> str | None:
    """The left-over members as the row has them, without spaces."""
    kept = [f"{json.dumps(m.key, ensure_ascii=False)}:{_ESCAPE.sub(_plainly, m.value if m.text is None else _quoted(m))}" for m in members if m.key in event.fields]
    return "{" + ",".join(kept) + "}" if kept else None


def _quoted(member: Token) -> str:
    return member.value if member.value.startswith('"') else f'"{member.value}"'


def _plainly(escape: re.Match[str]) -> str:
    """An escape as `json.dumps` writes what it means."""
    return json.dumps(json.loads(f'"{escape[0]}"'), ensure_ascii=False)[1:-1]
