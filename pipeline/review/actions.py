"""The changes that the page can ask for, by name: reads their arguments, makes the edit, says what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..drafting.decisions import Decision
from ..drafting.entries import instant, moment
from ..drafting.view import LABELS as DRAFTED
from ..wording import duration, number, percent
from . import deciding, edits
from .logs import NoLogs
from .parts import plain
from .sheet import Sheet, sheet, uncited

if TYPE_CHECKING:
    from ..findings import Evidence
    from .desk import Desk

#: Labels that are offered for an entry; any other may be typed.
LABELS = (*dict.fromkeys(DRAFTED.values()), "Chat", "Call", "Decision")
ROLES = {
    "trigger": "trigger",
    "onset": "onset",
    "detected": "detection",
    "resolution": "resolution",
    "recovery": "recovery",
}


class Unusable(ValueError):
    """The request is no change that this page could ask for."""


Arguments = Mapping[str, Any]


def _text(args: Arguments, name: str, default: str | None = None) -> str:
    value = args.get(name, default)
    if not isinstance(value, str) or len(value) > 20_000:
        raise Unusable(name)
    return value


def _whole(args: Arguments, name: str) -> int:
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unusable(name)
    return value


def _cells(args: Arguments) -> dict[str, str]:
    value = args.get("values")
    if not isinstance(value, dict):
        raise Unusable("values")
    return {str(key): _text(value, key) for key in value}


def perform(desk: Desk, name: str, args: Arguments) -> tuple[str, str]:
    """The document's text after the change, and a few words on what was done. Raises Unusable, or what edits raise."""
    if name in ("undo", "redo"):
        done = desk.store.undoable if name == "undo" else desk.store.redoable
        text = desk.store.undo() if name == "undo" else desk.store.redo()
        return (
            text,
            f"{'Undone' if name == 'undo' else 'Done again'}: {done}" if done else f"Nothing to {name}",
        )
    if name == "incident":
        return _incident(desk, args)
    if name == "decide":
        return _decide(desk, args)
    if name not in _EDITS:
        raise Unusable(name)
    edit, said = _EDITS[name](desk, args)
    return desk.store.change(edit, said), said


Edit = tuple[Callable[[str], str], str]


def _keep(_: Desk, args: Arguments) -> Edit:
    ref, mark, on = _text(args, "ref"), _text(args, "mark"), args.get("on") is not False
    return (lambda text: edits.keep(text, ref, mark, on)), "entry kept" if on else "entry not kept"


def _drop(_: Desk, args: Arguments) -> Edit:
    ref, mark = _text(args, "ref"), _text(args, "mark")
    return (lambda text: edits.drop(text, ref, mark)), "question dropped" if ref.startswith(
        "b:prompt."
    ) else "entry dropped"


def _change(_: Desk, args: Arguments) -> Edit:
    ref, mark = _text(args, "ref"), _text(args, "mark")
    time, label, words = _text(args, "time"), _text(args, "label", ""), _text(args, "words")
    return (lambda text: edits.change(text, ref, mark, time=time, label=label, words=words)), "entry changed"


def _join(_: Desk, args: Arguments) -> Edit:
    ref, mark, into, into_mark = (_text(args, name) for name in ("ref", "mark", "into", "into_mark"))
    return (lambda text: edits.join(text, ref, mark, into, into_mark)), "entries merged"


def _add(_: Desk, args: Arguments) -> Edit:
    time, label, words = _text(args, "time"), _text(args, "label", ""), _text(args, "words")
    return (lambda text: edits.add(text, time=time, label=label, words=words)), "entry added"


def _promote(desk: Desk, args: Arguments) -> Edit:
    item, row = desk.log().quote(_text(args, "file"), _whole(args, "line"))
    page = sheet(desk.store.read())
    words, label = _text(args, "words", "") or edits.spoken(row), _text(args, "label", "")
    time = page.clock.time(row.moment)
    return (
        lambda text: edits.promote(text, time=time, label=label, words=words, evidence=item)
    ), "log line promoted"


def _answer(_: Desk, args: Arguments) -> Edit:
    ref, mark, said, owner = (
        _text(args, "ref"),
        _text(args, "mark"),
        _text(args, "answer"),
        _text(args, "owner", ""),
    )
    return (
        lambda text: edits.answer(text, ref, mark, answer=said, owner=owner)
    ), "question answered" if said.strip() else "question open"


def _set_action(_: Desk, args: Arguments) -> Edit:
    row, mark, values = _whole(args, "row"), _text(args, "mark"), _cells(args)
    return (lambda text: edits.set_action(text, row, mark, values)), "measure changed"


def _add_action(_: Desk, args: Arguments) -> Edit:
    values = _cells(args)
    return (lambda text: edits.add_action(text, values)), "measure added"


def _drop_action(_: Desk, args: Arguments) -> Edit:
    row, mark = _whole(args, "row"), _text(args, "mark")
    return (lambda text: edits.drop_action(text, row, mark)), "measure dropped"


def _newer(_: Desk, args: Arguments) -> Edit:
    ref, mark, take = _text(args, "ref"), _text(args, "mark"), args.get("take") is True
    return (
        lambda text: edits.take_newer(text, ref, mark, take)
    ), "newer text taken" if take else "own text kept"


def _status(_: Desk, args: Arguments) -> Edit:
    status = _text(args, "status")
    return (lambda text: edits.set_status(text, status)), f"marked as {status}"


_EDITS: dict[str, Callable[[Desk, Arguments], Edit]] = {
    "keep": _keep, "drop": _drop, "change": _change, "join": _join, "add": _add, "promote": _promote, "answer": _answer,
    "set_action": _set_action, "add_action": _add_action, "drop_action": _drop_action, "newer": _newer, "status": _status,
}  # fmt: skip


def _incident(desk: Desk, args: Arguments) -> tuple[str, str]:
    """Another moment of an incident; what follows from it is counted anew where the logs are there."""
    index, role, said = _whole(args, "index"), _text(args, "role"), _text(args, "time")
    if role not in ROLES:
        raise Unusable(role)
    if role == "trigger":
        return _decide(desk, {**args, "status": "confirmed" if said.strip() else "unknown"})
    clock = sheet(desk.store.read()).clock
    exact = args.get("moment")  # of a log line, which is more than a time that is typed says
    at = exact if isinstance(exact, int) else moment(said, clock) if said.strip() else None
    if at is None and said.strip():
        raise edits.Refused(f"{plain(said)[:40]} is no time; write it as 10:43:05, or 2026-11-23 10:43:05.")
    follows = ""
    try:
        log = desk.log()
    except NoLogs:
        log = None
        follows = "; the logs are not here, so the figures stay"

    def edit(text: str) -> str:
        text = edits.set_incident(text, index, {role: at})
        return desk.recount.apply(text, log.masker) if log and desk.recount else text

    done = f"{ROLES[role]} set to {plain(said)}" if at is not None else f"{ROLES[role]} taken away"
    return desk.store.change(edit, done), f"{done}{follows}"


def _decide(desk: Desk, args: Arguments) -> tuple[str, str]:
    """What a person says of an outage's trigger: this one, not this one, nobody knows, or still open.

    It is named by the number of a quoted line (`cite`), a log line (`file`, `line`), an entry (`ref`), or a time and words.
    """
    index, status = _whole(args, "index"), _text(args, "status")
    text = desk.store.read()
    before = deciding.decision(text, index)
    cite = _whole(args, "cite") if "cite" in args else None
    evidence = None
    if status in ("unknown", "unconfirmed"):
        made = replace(before, status=status, words="", cites=())
        done = "trigger unknown" if status == "unknown" else "trigger open"
    elif status in ("rejected", "considered") and cite is not None:
        left = tuple(one for one in before.rejected if one != cite)
        made = replace(before, rejected=(*left, cite) if status == "rejected" else left)
        if made.status == "confirmed" and made.cites[:1] == (cite,):
            made = replace(made, status="unconfirmed", words="", cites=())
        done = f"candidate {status}"
    elif status == "confirmed":
        made, evidence = _named(desk, text, index, args, cite)
        made = replace(made, rejected=tuple(one for one in before.rejected if one not in made.cites[:1]))
        done = "trigger confirmed"
    else:
        raise Unusable(status)
    try:
        log = desk.log()
    except NoLogs:
        log = None

    def edit(now: str) -> str:
        decided = made
        if evidence is not None:
            number, now = edits.quoted(now, evidence)
            decided = replace(made, cites=(number,))
        if decided.status == "unconfirmed":
            # The first candidate that is left stands for the trigger until someone decides.
            first = next((one for one in deciding.choices(now, index) if one.cites[:1] and one.cites[0] not in decided.rejected), None)
            decided = replace(decided, time=first.moment if first else None, cites=first.cites[:1] if first else ())
        moved = decided.time != before.time or (decided.status == "unknown") != (before.status == "unknown")
        now = deciding.decide(now, index, decided)
        return desk.recount.apply(now, log.masker) if moved and log and desk.recount else now

    return desk.store.change(edit, done), done


def _named(desk: Desk, text: str, index: int, args: Arguments, cite: int | None) -> tuple[Decision, Evidence | None]:
    """The trigger that a person names, and the log line to quote for it when it is one."""
    page = sheet(text)
    if cite is not None:
        choice = next((one for one in deciding.choices(text, index) if one.cites[:1] == (cite,)), None)
        if choice is None or choice.moment is None:
            raise edits.Stale()
        return Decision("confirmed", choice.moment, "", (cite,)), None
    if "file" in args:
        item, row = desk.log().quote(_text(args, "file"), _whole(args, "line"))
        return Decision("confirmed", row.moment, edits.said_by(row)), item
    said, words = _text(args, "time"), plain(_text(args, "words", ""))
    at = moment(said, page.clock)
    if at is None:
        raise edits.Refused(f"{plain(said)[:40] or 'An empty time'} is no time; write it as 10:43:05, or 2026-11-23 10:43:05.")
    if not words:
        ref = _text(args, "ref", "")
        entry = next((one for one in page.items if one.ref == ref), None) or next((one for one in page.items if one.moment == at), None)
        if entry is None:
            raise edits.Refused("No entry has that time; say in words what happened, or choose a log line.")
        chosen = next((one for one in deciding.choices(text, index) if one.cites[:1] == entry.cites[:1] != ()), None)
        if chosen is not None:
            return Decision("confirmed", chosen.moment, "", chosen.cites[:1]), None
        return Decision("confirmed", entry.moment, uncited(entry.words).replace("`", ""), entry.cites), None
    return Decision("confirmed", at, words), None


def incident(page: Sheet, index: int) -> dict[str, Any]:
    """An incident as the page shows it: its moments as times, and what it cost in words."""
    one = page.incidents[index]
    times = {role: instant(one.get(role)) for role in ROLES}
    onset, recovery = times["onset"], times["recovery"]
    failed, requests, share = one.get("failed"), one.get("requests"), one.get("failed_percent")
    counted = isinstance(failed, int) and isinstance(requests, int) and requests > 0
    return {
        "index": index,
        "severity": str(one.get("severity") or ""),
        "what": {"silence": "requests missing, estimated", "errors": "outcomes were failures"}.get(str(one.get("signal")), "requests failed"),
        "times": {role: "" if at is None else page.clock.time(at) for role, at in times.items()},
        "gaps": {role: "" if at is None or onset is None else _gap(at - onset) for role, at in times.items()},
        "lasted": duration(recovery - onset)
        if onset is not None and recovery is not None
        else "not over in the logs",
        "failed": f"{number(failed)} of {number(requests)}"
        if counted and isinstance(failed, int) and isinstance(requests, int)
        else "",
        "share": percent(float(share)) if isinstance(share, int | float) else "",
    }


def _gap(microseconds: int) -> str:
    """How far from the onset: `+10 s`, `−1 min 54 s`; nothing for the onset itself."""
    return f"{'+' if microseconds > 0 else '−'}{duration(microseconds)}" if microseconds else ""
