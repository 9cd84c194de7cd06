"""Requests that an application tells of in the words of its message: `"POST /cart" 201 8.0ms`, `GET /a -> 200 in 12 ms`, `[200] GET /a (0.1s)`.

A message tells of a request where it begins with one, behind a logger's name at most, and says its status; where the request
stands in no quotes also how long it took, for a sentence may go on with a number, too. What was asked of others, `http://peer "GET /a" 200`, is none.
"""

from __future__ import annotations

from .base import Event
from .lazy import lazily

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: Seconds of each unit that a duration is told in.
UNITS = {"ms": 1e-3, "msec": 1e-3, "s": 1.0, "sec": 1.0, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
#: Characters before which a request must begin.
BEGINS = 100

_NAME = r"(?:[0-9A-Za-z_.-]{1,60}(?::| -) )?"
_METHOD = "|".join(METHODS)
_STATUS = "[1-5][0-9][0-9]"
_TOOK = r"(?P<took{n}>[0-9]{{1,12}}(?:\.[0-9]{{1,12}})?) ?(?P<unit{n}>ms|msec|s|sec|us|µs|μs|ns)(?:[^0-9A-Za-z_.]|$)"
_BETWEEN = r"(?: (?:->|=>|-->|-|returned|responded|completed|finished|answered|status|with|code)){0,3}[:=]?[ (\[]{0,2}"
#: One pattern for rows and for columns (RE2): the request before its status, and behind it.
SAID = (
    rf'^{_NAME}(?:(?:HTTP|[Rr]equest:?) )?(?P<quote>"?)(?P<method>{_METHOD}) (?P<path>/[^ \t\r\n\f\v"]*)(?: HTTP/[0-9.]{{1,4}})?"?{_BETWEEN}'
    rf"(?:[ (\[=:])(?P<status>{_STATUS})(?:[)\] ,;]|$)(?:[A-Z][A-Za-z]{{1,20}}(?: [A-Z][a-z]{{1,20}}){{0,3}} ?)?"
    rf"(?:[ ,;:(\[-]{{0,3}}(?:(?:in|took|after|-|[0-9]{{1,12}}(?: ?(?:b|B|bytes))?)[ ,;:]{{1,2}}){{0,3}}[(\[]?{_TOOK.format(n='')})?"
    rf"|^{_NAME}[(\[]?(?P<status2>{_STATUS})[)\]]? (?P<method2>{_METHOD}) (?P<path2>/[^ \t\r\n\f\v\"]*)(?: HTTP/[0-9.]{{1,4}})?"
    rf"(?: \([0-9A-Fa-f.:]{{3,45}}\))?[ ,;:(\[-]{{1,3}}(?:(?:in|took|after) )?{_TOOK.format(n='2')}"
)
_SAID = lazily(SAID)


def take_said(event: Event) -> None:
    """Fills the request's columns of an event that has none of them from its message, where that tells of one."""
    text = event.message
    if event.status is not None or event.path is not None or event.method is not None or " /" not in text[:BEGINS]:
        return
    found = _SAID.match(text)
    if found is None or not (found["quote"] or found["took"] or found["took2"]):
        return
    event.method, event.path = found["method"] or found["method2"], found["path"] or found["path2"]
    event.status = int(found["status"] or found["status2"])
    took, unit = found["took"] or found["took2"], found["unit"] or found["unit2"]
    if took and event.duration is None:
        event.duration = float(took) * UNITS[unit]
