"""The changes that the page can ask for, by name: reads their arguments, makes the edit, says what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..render import moment as moment_of
from ..view import LABELS as DRAFTED
from ..wording import duration, number, percent
from . import edits
from .logs import NoLogs
from .parts import plain
from .sheet import Sheet, moment, sheet

if TYPE_CHECKING:
    from .app import Desk

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


def incident(page: Sheet, index: int) -> dict[str, Any]:
    """An incident as the page shows it: its moments as times, and what it cost in words."""
    one = page.incidents[index]
    times = {role: moment_of(one.get(role)) for role in ROLES}
    onset, recovery = times["onset"], times["recovery"]
    failed, requests, share = one.get("failed"), one.get("requests"), one.get("failed_percent")
    counted = isinstance(failed, int) and isinstance(requests, int) and requests > 0
    return {
        "index": index,
        "severity": str(one.get("severity") or ""),
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
