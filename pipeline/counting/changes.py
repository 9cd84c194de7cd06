"""Recognises changes and milestones in single log events, from a lexicon that is data (`lexicon.toml`).

A *change* is an event by which someone or something altered the system; a *milestone* is a step of the incident itself
(an alert, a login, an operator's words). What is merely *routine* is recognised too, so that it can be ruled out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...parsers.base import SEVERITIES
from ..errors import BadOption
from .polarity import is_ill, is_undone, turn
from .shell import is_fed, program, simple_commands

#: What a mark can mean for the story of an incident.
ROLES = ("change", "event", "detection", "resolved", "human", "note", "action", "symptom", "routine")

# The first lines of a record say what happened, its last line names the exception of a stack trace; reading only those
# keeps the cost of a hostile megabyte line the same as of any other.
_HEAD = 800
_TAIL = 300
# Words are compared by their first letters: `restart` stands for restarts, restarted and restarting.
_STEM = 5
_WORD = re.compile(r"([^\W_]{2,5})[^\W_]*")
_MAX_NAME = 80
_ORIGINS_KEPT = 4096
_LEVELS = {name: level for level, name in enumerate(SEVERITIES)}


@dataclass(frozen=True, slots=True)
class Mark:
    """What one event is: its kind, its role in an incident, and how likely its kind is to set off an outage.

    `weight` is the prior for ranking triggers (0 for routine, about 1 for a cron job, 3 for a deploy); `subject` is
    the service or object changed and `actor` the person or tool that did it, where the line says so; `phase` is
    "start" or "end" for changes that take time and say which they report.
    """

    kind: str
    role: str
    weight: float
    routine: bool
    subject: str | None = None
    actor: str | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    """One row of the lexicon, ready to be tried."""

    words: frozenset[str]
    patterns: tuple[tuple[str, frozenset[str]], ...]
    unless: str | None
    origin: str | None
    severity: int | None
    mark: Mark
    own: bool  # the subject is the writer itself
    via: str | None  # the event quotes a command: "cron", or anything else for a person's


class Lexicon:
    """The vocabulary of changes and milestones: ordered rules, of which the first that fits an event names it."""

    def __init__(self, tables: Iterable[Mapping[str, Any]], sound: Mapping[str, Any] | None = None) -> None:
        """Builds the vocabulary from parsed TOML tables; a table's rules are asked before those of the tables after it.

        `sound` is a last table whose patterns are known to compile; they do so when they are first needed, which most
        of them never are (all at once they take a quarter of a second).
        Raises BadOption when a table has a key of the wrong form, an unknown role, or a pattern that does not compile.
        """
        tables = [*tables, *([] if sound is None else [sound])]
        self._kinds: dict[str, tuple[str, float]] = {}
        for table in reversed(tables):
            for name, kind in _mapping(table, "kind").items():
                self._kinds[name] = _kind(name, kind)
        self._people = frozenset(
            name.lower() for table in tables for name in _texts(table, "people", "the lexicon")
        )
        self._rules: list[_Rule] = []
        self._commands: list[_Rule] = []
        for table in tables:
            for rules, key in ((self._rules, "rule"), (self._commands, "command")):
                for row in _rows(table, key):
                    rule = self._rule(row)
                    if table is not sound:
                        _check(rule, _name(row))
                    rules.append(rule)
        origins = sorted({rule.origin for rule in self._rules if rule.origin is not None})
        self._origins = {origin: _regex(origin) for origin in origins}
        self._by_writer: dict[tuple[str | None, str | None], _Index] = {}
        self._by_fit: dict[frozenset[str], _Index] = {}
        self._command = lru_cache(maxsize=8192)(self._classify_command)

    @classmethod
    def load(cls, extra: Path | None = None) -> Lexicon:
        """Reads the vocabulary that ships with retrolog, with the rules of `extra` (TOML) asked first.

        Raises BadOption when `extra` cannot be read or understood.
        """
        shipped = tomllib.loads((files("retrolog.pipeline.counting") / "lexicon.toml").read_text(encoding="utf-8"))
        if extra is None:
            return cls([], shipped)
        try:
            own = tomllib.loads(extra.read_text(encoding="utf-8"))
        except OSError as error:
            raise BadOption(
                f"The lexicon {extra} cannot be read ({error.strerror}); name an existing file."
            ) from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadOption(
                f"The lexicon {extra} is not TOML ({error}); see pipeline/counting/lexicon.toml."
            ) from error
        return cls([own], shipped)

    def mark(
        self, service: str | None, message: str, severity: str | None = None, format: str | None = None
    ) -> Mark | None:
        """Says what an event is, or None for an ordinary line.

        `service` is the program or tag that wrote the line, `format` the name of the log format; either may be None.
        """
        return self._mark(service, message, severity, format, self._people)

    def recorded(self, kind: str, text: str) -> Mark:
        """What a change is that was recorded outside the logs: by its kind, else by what its text says, else a plain change."""
        if kind not in self._kinds:
            said = self.mark(None, text)
            if said is not None and said.role == "change":
                return said
            kind = "change"
        role, weight = self._kinds[kind]
        return Mark(kind, "change" if role == "routine" else role, weight, False)

    def mark_all(
        self,
        services: Sequence[str | None],
        messages: Sequence[str],
        severities: Sequence[str | None],
        formats: Sequence[str | None],
    ) -> list[Mark | None]:
        """Marks every event of four columns of equal length, in order.

        Knows one thing more than `mark`: a tag that is the name of a person seen logging in, using sudo or asking for
        a deploy is that person writing with logger(1), so the event is a note.
        """
        rows = zip(services, messages, severities, formats, strict=True)
        marks = [
            self._mark(service, text, severity, format, self._people)
            for service, text, severity, format in rows
        ]
        people = {
            mark.actor.lower() for mark in marks if mark is not None and mark.actor and not mark.routine
        }
        # A tool that acts by itself (puppet, kubelet) is an actor as well, but it writes no notes.
        tools = {rule.mark.actor for rule in self._rules if rule.mark.actor}
        people -= {tool.lower() for tool in tools}
        people |= self._people
        for position, service in enumerate(services):
            if service is not None and service.lower() in people:
                marks[position] = self._mark(
                    service, messages[position], severities[position], formats[position], frozenset(people)
                )
        return marks

    def _mark(
        self,
        service: str | None,
        message: str,
        severity: str | None,
        format: str | None,
        people: frozenset[str],
    ) -> Mark | None:
        # RFC 5424 senders may put a byte order mark or a space before the text.
        text = message.lstrip("\ufeff \t")
        if len(text) > _HEAD:
            text = f"{text[:_HEAD]}\n{text[-_TAIL:].rpartition(chr(10))[2]}"
        index = self._by_writer.get((service, format)) or self._index(service, format)
        words: AbstractSet[str] = index.by_word.keys() & _WORD.findall(text.lower())
        found = None
        if words or index.wordless:
            positions = set(index.wordless)
            for word in words:
                positions.update(index.by_word[word])
            for position in sorted(positions):
                found = self._try(self._rules[position], text, words, service, severity)
                if found is not None:
                    found = _weighed(found, text)
                    break
        if service is not None and service.lower() in people:
            return _as_persons(found, service)
        return found

    def _try(
        self, rule: _Rule, text: str, words: AbstractSet[str], service: str | None, severity: str | None
    ) -> Mark | None:
        if rule.severity is not None and _LEVELS.get(severity or "", -1) < rule.severity:
            return None
        for pattern, own_words in rule.patterns:
            if own_words and own_words.isdisjoint(words):
                continue
            match = _regex(pattern).search(text)
            if match is None:
                continue
            if rule.unless is not None and _regex(rule.unless).search(text):
                return None
            groups = match.groupdict()
            mark = _filled(rule.mark, groups)
            if rule.via is not None:
                return self._quoted(mark, groups.get("command") or "", rule.via)
            if rule.own and mark.subject is None and service is not None:
                return replace(mark, subject=_clean(service))
            return mark
        return None

    def _quoted(self, mark: Mark, command: str, via: str) -> Mark:
        """The mark of an event that quotes a command: what the command does, done by whom the event names."""
        done = self._command(command[:_HEAD])
        if via == "cron":
            if done is None:
                return replace(mark, subject=_clean(program(command)))
            if done.routine or done.role == "human":
                return replace(done, kind="routine", role="routine", weight=0.0, routine=True, actor="cron")
            # A timetable repeats: what it runs was there yesterday as well.
            return replace(
                done, role="change", weight=min(done.weight, 1.4) * 0.8, actor="cron", phase="start"
            )
        if done is None:
            if command.strip() and not simple_commands(command):  # it only went somewhere, or waited
                return replace(mark, kind="look", role="human", weight=0.0)
            return replace(mark, subject=_clean(program(command)))
        if done.routine:
            return replace(done, kind="look", role="human", routine=False, weight=0.0, actor=mark.actor)
        return replace(done, actor=mark.actor)

    def _classify_command(self, command: str) -> Mark | None:
        """The weightiest thing that a shell command does, or None when no part of it is known."""
        best: Mark | None = None
        for part in simple_commands(command):
            for rule in self._commands:
                mark = self._try(rule, part, frozenset(), None, None)
                if mark is not None:
                    if best is None or mark.weight > best.weight or (best.routine and not mark.routine):
                        best = mark
                    break
            else:
                # An unknown program may do anything: only the parts that are known to do more may name the command.
                best = best if best is not None and best.weight > 0 else None
        # a client that is given words to say may do anything: `echo flush_all | nc cache 11211`, `mysql < fix.sql`
        return None if best is not None and best.kind == "look" and is_fed(command) else best

    def _index(self, service: str | None, format: str | None) -> _Index:
        """The rules that can apply to a writer, by the stems of the words one of which must occur."""
        writer = f"{service or ''} {format or ''}".lower()[:200]
        fit = frozenset(origin for origin, pattern in self._origins.items() if pattern.search(writer))
        index = self._by_fit.get(fit)
        if index is None:
            index = self._by_fit[fit] = _Index({}, [])
            for position, rule in enumerate(self._rules):
                if rule.origin is not None and rule.origin not in fit:
                    continue
                for word in rule.words:
                    index.by_word.setdefault(word, []).append(position)
                if not rule.words:
                    index.wordless.append(position)
        if len(self._by_writer) >= _ORIGINS_KEPT:
            self._by_writer.clear()
        self._by_writer[service, format] = index
        return index

    def _rule(self, row: Mapping[str, Any]) -> _Rule:
        name = _name(row)
        unknown = set(row) - {
            "about", "kind", "role", "weight", "words", "match", "unless", "origin", "severity",
            "subject", "actor", "phase", "own", "via",
        }  # fmt: skip
        if unknown:
            raise BadOption(f"{name} has the unknown key {min(unknown)!r}; see pipeline/counting/lexicon.toml.")
        kind = str(row.get("kind", ""))
        if kind not in self._kinds:
            raise BadOption(f"{name} has the unknown kind {kind!r}; add it to the [kind] table.")
        role, weight = self._kinds[kind]
        role = str(row.get("role", role))
        if role not in ROLES:
            raise BadOption(f"{name} has the unknown role {role!r}; use one of {', '.join(ROLES)}.")
        severity = row.get("severity")
        if severity is not None and severity not in SEVERITIES:
            raise BadOption(
                f"{name} has the unknown severity {severity!r}; use one of {', '.join(SEVERITIES)}."
            )
        via = row.get("via")
        if via not in (None, "cron", "person"):
            raise BadOption(f"{name} has the unknown `via` {via!r}; use cron or person.")
        patterns = _texts(row, "match", name)
        if not patterns:
            raise BadOption(f"{name} has no `match`; give it at least one regular expression.")
        routine = role == "routine"
        words = [word.lower() for word in _texts(row, "words", name)]
        return _Rule(
            words=frozenset(word[:_STEM] for word in words),
            patterns=tuple((pattern, _mentioned(pattern, words)) for pattern in patterns),
            unless=_text(row, "unless", name),
            origin=_text(row, "origin", name),
            severity=None if severity is None else _LEVELS[severity],
            mark=Mark(
                kind=kind,
                role=role,
                weight=0.0 if routine else _number(row.get("weight", weight), name),
                routine=routine,
                subject=_text(row, "subject", name),
                actor=_text(row, "actor", name),
                phase=_text(row, "phase", name),
            ),
            own=bool(row.get("own", False)),
            via=via,
        )


@dataclass(frozen=True, slots=True)
class _Index:
    """The positions of the rules that one writer's events can fit."""

    by_word: dict[str, list[int]]
    wordless: list[int]


def _as_persons(found: Mark | None, person: str) -> Mark:
    """The mark of a line that a person wrote: a note, unless it tells of something done."""
    actor = _clean(person)
    if found is None or found.role not in ("change", "action", "note", "resolved"):
        return Mark("note", "note", 0.0, False, found.subject if found else None, actor)
    if found.role == "change":
        return replace(found, role="action", actor=found.actor or actor)
    return replace(found, actor=found.actor or actor)


def _weighed(found: Mark, text: str) -> Mark:
    """The mark as the state that the text names has it: an alert that is resolved is its end, a change that was skipped is none."""
    if found.role == "change" and is_undone(text):
        return Mark("routine", "routine", 0.0, True, found.subject, found.actor)
    if found.kind == "network" and is_ill(text) is False:
        return replace(found, kind="recovered", role="resolved", weight=0.0)
    if found.kind == "alert" and is_ill(text) is False:
        return replace(found, kind="alert_resolved", role="resolved")
    if found.kind == "alert_resolved" and turn(text) is not None and is_ill(text) is True:
        return replace(found, kind="alert", role="detection")
    return found


def _filled(mark: Mark, groups: Mapping[str, str | None]) -> Mark:
    """The rule's mark with what its pattern read out of the line."""
    if not groups:
        return mark
    # A pattern's alternatives cannot share a group name, so `subject2` is another `subject`.
    read = {name.rstrip("23456789"): text for name, text in groups.items() if text}
    phase = "start" if "start" in read else "end" if "end" in read else mark.phase
    subject = _clean(read.get("subject")) or mark.subject
    actor = _clean(read.get("actor")) or mark.actor
    return replace(mark, subject=subject, actor=actor, phase=phase)


_UNIT = re.compile(r"\.(?:service|socket|timer|scope|slice|mount|target)$")


# What stands where a name could, but is none.
_NO_NAMES = frozenset(
    re.findall(
        r"\w+",
        "a all an and at by complete completed container did failed finished for from has in is it its msg new not now of "
        "on our release revision server service started succeeded the this to was with",
    )
) | {""}


def _clean(name: str | None) -> str | None:
    """A name as read from a line, without quotes, unit suffix and what could break a terminal or a table."""
    if not name:
        return None
    name = "".join(char for char in name[: _MAX_NAME * 2] if char.isprintable())
    name = _UNIT.sub("", name.strip(" \t'\"`.,:;()[]{}<>"))[:_MAX_NAME]
    return None if name.lower() in _NO_NAMES else name


_SYNTAX = re.compile(r"\\[a-zA-Z]|\(\?P<\w+>|\(\?-?[a-z]+:")


def _mentioned(pattern: str, words: Sequence[str]) -> frozenset[str]:
    """The stems of those words that a pattern spells at least the beginning of.

    A pattern is worth trying only on an event with one of them; on any event when it spells none.
    """
    spelled = {token.lower() for token in re.findall(r"[^\W_]{2,}", _SYNTAX.sub(" ", pattern))}
    return frozenset(
        word[:_STEM]
        for word in words
        if any(word.startswith(token) or token.startswith(word[:_STEM]) for token in spelled)
    )


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _check(rule: _Rule, where: str) -> None:
    for pattern in (*(pattern for pattern, _ in rule.patterns), rule.unless, rule.origin):
        try:
            _regex(pattern or "")
        except re.error as error:
            raise BadOption(f"{where} has a pattern that does not compile ({error}): {pattern}") from error


def _kind(name: str, kind: Any) -> tuple[str, float]:
    if not isinstance(kind, Mapping) or kind.get("role") not in ROLES:
        raise BadOption(f"Kind {name!r} of the lexicon needs a role, one of {', '.join(ROLES)}.")
    return str(kind["role"]), _number(kind.get("weight", 0.0), f"Kind {name!r} of the lexicon")


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadOption(f"{where} has a weight that is no number: {value!r}.")
    return float(value)


def _text(row: Mapping[str, Any], key: str, where: str) -> str | None:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise BadOption(f"{where} has a `{key}` that is no text: {value!r}.")
    return value


def _mapping(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        raise BadOption(f"`{key}` of the lexicon must be tables, [{key}.NAME].")
    return value


def _rows(table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise BadOption(f"`{key}` of the lexicon must be a list of tables, [[{key}]].")
    return rows


def _texts(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    texts = table.get(key, [])
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadOption(f"{where} has `{key}` that is no list of texts.")
    return texts


def _name(row: Mapping[str, Any]) -> str:
    return f"The lexicon's rule {str(row.get('about') or row.get('kind') or '?')!r}"
