"""Whether a message says that something is ill or well again, and whether it says that nothing was done.

Alerts and their ends are told in the same words (*alert ... has been TRIGGERED*, *alert ... has been RESOLVED*); the word for the
state decides. So does, for changes, the word that takes them back: a deploy that was skipped changed nothing.
"""

from __future__ import annotations

import re

_ILL = (
    "triggered|firing|fired|down|critical|crit|failed|failing|fail|open|opened|active|problem|unhealthy|unavailable|alerting|broken|"
    "unreachable|offline|fatal|error|breached|raised|alarm|pending|half[-_ ]?open|degraded|warning"
)
_WELL = "resolved|ok|up|normal|closed|succeeded|recovered|recovery|cleared|clear|passing|passed|healthy|inactive|available|reachable|online|green|restored"
_STATES = re.compile(rf"(?:(?P<ill>{_ILL})|(?P<well>{_WELL}))", re.IGNORECASE)
#: `from=A to=B`, `old: A new: B`, `A -> B`: the second decides.
_TURN = re.compile(
    r"\b(?:from|old|previous|was|before)\W{1,3}(?P<a>[A-Za-z_-]+)\W{1,3}(?:to|new|current|now|after)\W{1,3}(?P<b>[A-Za-z_-]+)"
    r"|(?<![\w>-])(?P<c>[A-Za-z_][\w-]*?)['\"\])]? ?(?:->|=>|\u2192) ?['\"\[(]?(?P<d>[A-Za-z_][\w-]*)",
    re.IGNORECASE,
)
#: The same as fields of a record, in any order: `newState=alerting prevState=ok`, `current_state=UP previous_state=DOWN`.
_WAS = re.compile(r"(?i)(?<![a-z])(?:prev(?:ious)?|old|last|from)[._ -]?(?:state|status)(?:[._]?value)?\W{1,3}(?P<word>[a-z_-]+)")
_IS = re.compile(r"(?i)(?<![a-z_-])(?:new|curr(?:ent)?|to)?[._ -]?(?:state|status)(?:[._]?value)?[\"']?[=:]\W{0,2}(?P<word>[a-z_-]+)")
#: Where a word stands for a state: after a verb or a label, in brackets, in quotes, between bars or semicolons, or in capitals.
_PLACED = re.compile(
    rf"(?:\b(?:is|are|was|been|be|now|became|went|turned|status|state|result|marked|marking)\b\W{{1,3}}(?:now |back |changed to )?|[\[(|;'\"=]\s?)"
    rf"(?P<word>{_ILL}|{_WELL})(?![\w-])",
    re.IGNORECASE,
)
_LOUD = re.compile(r"(?<![\w-])(?:ALERT|[A-Z]{2,}(?:[-_][A-Z]+)*)(?![\w-])")
_HEAD = 600

_UNDONE = re.compile(
    r"(?i)\b(?:skipped|postponed|deferred)(?=\s*(?:$|[,.;:)\]]))|"
    r"\bskipping (?:the |this )?(?:deploy\w*|release|roll-?out|upgrade|update|restart|reload|migration|refresh|renewal|run|build)\b|"
    r"\bnothing (?:to (?:do|change|update|apply|deploy|upgrade|install|refresh|migrate)|(?:has |was |is )?(?:changed|new))\b|"
    r"\bno (?:changes?|updates?|upgrades?)(?: (?:were|was|are|is|to (?:apply|make|deploy)|made|needed|found|detected|available|pending|required)\b|\s*(?:$|[,.;:)]))|"
    r"\bno updates available\b|\bunchanged\b|\bchanged ?[=:] ?(?:0|false|no)\b(?! ?(?:[-=]?>|to\b|→))|\bno-?op\b|\bdry[- ]?run\b|"
    r"\b(?:deploy\w*|release|roll-?out|upgrade|update|restart|reload|migration|refresh|renewal|change|action)\b.{0,50}\bnot (?:needed|necessary|required|due)\b|"
    r"\balready (?:up[- ]to[- ]date|the newest version|at the latest)\b"
)
_DONE = re.compile(r"(?i)\b[1-9]\d* (?:\w+ )?(?:changed|updated|added|installed|upgraded|applied|created|destroyed)\b|\b(?:changed|updated|applied)[=:] ?[1-9]|\b(?:deployed|released|rolled out|is live)\b")


def turn(text: str) -> tuple[str, str] | None:
    """The two states that a message names as before and after, in lower case, or None."""
    was, now = _WAS.search(text[:_HEAD]), _IS.search(text[:_HEAD])
    if was is not None and now is not None:
        return was["word"].lower().replace("-", "_"), now["word"].lower().replace("-", "_")
    found = _TURN.search(text[:_HEAD])
    if found is None:
        return None
    before, after = (found["a"], found["b"]) if found["a"] else (found["c"], found["d"])
    return before.lower().replace("-", "_"), after.lower().replace("-", "_")


def is_ill(text: str) -> bool | None:
    """True when the state that a message names is a bad one, False when it is a good one, None when it names none or both."""
    turned = turn(text)
    if turned is not None:
        said = _STATES.fullmatch(turned[1])
        if said is not None:
            return said["ill"] is not None
    head = text[:_HEAD]
    words = {found["word"].lower() for found in _PLACED.finditer(head)} | {word.lower() for word in _LOUD.findall(head)}
    states = [match for word in words if (match := _STATES.fullmatch(word)) is not None]
    ill = {match["ill"] is not None for match in states} | ({True} if "alert" in words else set())
    return ill.pop() if len(ill) == 1 else None


def is_undone(text: str) -> bool:
    """Whether a message says of a change that it did not take place: skipped, postponed, not needed, nothing changed, a dry run."""
    return bool(_UNDONE.search(text[:_HEAD])) and not _DONE.search(text[:_HEAD])
