"""What the human is asked and what the logs suggest: questions, actions, and what went well, badly or by luck.

Each is made from this incident's own evidence; where the logs show nothing there is a question, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...findings import Candidate, Evidence, Incident
from ...wording import Clock, brief, duration, number, percent
from ..evidence import quotations
from ..traffic import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...findings import Entry, SourceReport

Lesson = tuple[str, tuple[Evidence, ...]]

#: For a kind of trigger, what would have prevented it and what would have shortened it (type, action).
_SEEDS: dict[str, tuple[tuple[str, str], ...]] = {
    "deploy": (
        ("prevent", "Run the requests that failed ({what}) against a release of {subject} before it takes traffic"),
        ("mitigate", "Stop or roll back a release of {subject} by itself when its share of failed requests rises"),
    ),
    "config": (
        ("prevent", "Check a changed configuration of {subject} against what it points at before it is loaded"),
        ("mitigate", "Keep the last working configuration of {subject} at hand and load it when requests fail after a change"),
    ),
    "migration": (
        ("prevent", "Run schema changes with a lock timeout, and outside busy hours"),
        ("detect", "Alert on sessions that wait for a lock longer than a request may take"),
    ),
    "job": (
        ("prevent", "Give {subject} limits (space, memory, connections) of its own, so that it cannot take them from the service"),
        ("detect", "Alert on the resource that {subject} used up before it is gone"),
    ),
    "disk_full": (
        ("detect", "Alert on the free space that is left, early enough to act"),
        ("prevent", "Keep what grows ({subject}) on a volume of its own, or under a quota"),
    ),
    "exhaustion": (
        ("prevent", "Limit what one client of {subject} may hold, below the limit of all"),
        ("detect", "Alert when {subject} nears its limit, not when it is reached"),
    ),
    "oom": (
        ("prevent", "Give {subject} a memory limit at which it restarts alone"),
        ("detect", "Alert on the memory of {subject} while it grows"),
    ),
    "kill": (
        ("mitigate", "Have {subject} restarted by its supervisor when it ends"),
        ("prevent", "Run more than one instance of {subject}, so that the end of one fails no request"),
    ),
    "crash": (
        ("mitigate", "Have {subject} restarted by its supervisor when it ends"),
        ("prevent", "Reproduce the crash of {subject} in a test"),
    ),
    "certificate": (
        ("detect", "Alert on certificates weeks before they expire, from outside"),
        ("prevent", "Renew the certificate of {subject} automatically, and check that it was loaded"),
    ),
    "flag": (("prevent", "Roll {subject} out to a share of the traffic first"), ("mitigate", "Write down how {subject} is switched back")),
    "flood": (
        ("prevent", "Limit the rate a client may ask {what} at"),
        ("mitigate", "Write down how such clients are turned away at the edge"),
    ),
    "restart": (("prevent", "Restart the instances of {subject} one after another, each when the one before serves"),),
    "failover": (("prevent", "Rehearse the failover of {subject}, and measure how long its clients take to follow"),),
}


@dataclass(frozen=True, slots=True)
class Lessons:
    """Prompts by section, action seeds, and the three lists of the review."""

    prompts: tuple[tuple[str, str], ...]
    actions: tuple[dict[str, Any], ...]
    went_well: tuple[Lesson, ...]
    went_badly: tuple[Lesson, ...]
    lucky: tuple[Lesson, ...]


def lessons(incidents: Sequence[Incident], sources: Sequence[SourceReport], clock: Clock, entries: Sequence[Entry] = ()) -> Lessons:
    """Questions, actions and lists for all incidents of a draft; `entries` are its timeline.

    What is said of a clock cites a line that it stamped; of a clock that stamped nothing that matters nothing is said here.
    """
    prompts: list[tuple[str, str]] = []
    actions: list[dict[str, Any]] = []
    well: list[Lesson] = []
    badly: list[Lesson] = []
    lucky: list[Lesson] = []
    for incident in incidents:
        prompts += _questions(incident, clock)
        actions += _actions(incident)
        good, bad = _reviewed(incident, clock)
        well += good
        badly += bad
    clocks: dict[float, list[str]] = {}
    for source in sources:
        if abs(source.clock_offset_s) >= 2:
            clocks.setdefault(round(source.clock_offset_s, 1), []).append(source.file)
    for offset, files in sorted(clocks.items()):
        side = "ahead" if offset > 0 else "behind"
        others = f" and {number(len(files) - 1)} more" if len(files) > 1 else ""
        stamped = tuple(one for one in quotations([incidents, entries]) if one.file in files)[:1]
        if abs(offset) >= 1800 and offset % 900 == 0:
            # whole quarter hours are no clock that runs wrong
            away = duration(round(abs(offset) * SECOND))
            if stamped:
                badly.append((f"The stamps of {files[0]}{others} are {away} {side} without naming their zone, so its lines stood out of order.", stamped))
            actions.append(_action(f"Write the zone into the stamps of {files[0]}{others}", "prevent", f"they are of a zone that is {away} off", stamped))
            continue
        if stamped:
            badly.append((f"The clock that wrote {files[0]}{others} is {abs(offset):,.0f} s {side}, so its lines stood out of order.", stamped))
        actions.append(_action(f"Synchronise the clock that wrote {files[0]}{others}", "prevent", f"its stamps are {abs(offset):,.0f} s off", stamped))
    if incidents:
        lucky_prompt = _luck(incidents[0], clock)
        if lucky_prompt:
            prompts.append(("lucky", lucky_prompt))
    return Lessons(tuple(prompts), tuple(_unique(actions)), tuple(well), tuple(badly), tuple(lucky))


def _questions(incident: Incident, clock: Clock) -> list[tuple[str, str]]:
    onset = clock.time(incident.onset.time)
    asked: list[tuple[str, str]] = []
    trigger = incident.trigger
    worst = incident.impact.endpoints[0] if incident.impact.endpoints else None
    if trigger:
        asked.append(("root_cause", f"Why did what happened at {clock.time(trigger.time)} ({_named(trigger)}) lead to what began at {onset}, and why was it not found before?"))
        if len(incident.candidates) > 1:
            asked.append(("root_cause", f"What rules the other candidate of {clock.time(incident.candidates[1].time)} ({_named(incident.candidates[1])}) in or out?"))
    else:
        asked.append(("root_cause", f"No change stands in these logs before {onset}. What changed outside of them (network, provider, DNS, certificates, traffic)?"))
    if incident.detected is None:
        asked.append(("detection", f"No alert stands in these logs after {onset}. Who noticed, how, and when?"))
    if incident.acknowledged is None:
        asked.append(("response", "No human act stands in these logs during the outage. Who responded, and from when on?"))
    else:
        asked.append(("response", f"What was tried between {clock.time(incident.acknowledged.time)} and the end that these logs do not show, and what led astray?"))
    if incident.recovery is None:
        asked.append(("resolution", "It was not over when these logs end. When and how did it end?"))
    elif incident.resolution is None:
        asked.append(("resolution", f"It ended at {clock.time(incident.recovery.time)} without an act in these logs. What ended it, and can it come back?"))
    else:
        asked.append(("resolution", f"Is what was done at {clock.time(incident.resolution.time)} ({_named(incident.resolution)}) lasting, or does the cause remain?"))
    if worst and worst.failed:
        asked.append(("impact", f"What could users not do while {number(worst.failed)} of {number(worst.requests)} requests to {worst.path} failed, and was anything lost that has to be made good?"))
    return asked


def _named(found: Candidate) -> str:
    """What a question names: the entry has it in full."""
    return brief(found.summary, 72)


def _luck(incident: Incident, clock: Clock) -> str:
    peak = incident.impact.peak_rate
    if not peak:
        return ""
    if incident.recovery is None:
        return f"From {clock.time(incident.onset.time)} on up to {peak:g} requests a second failed, and it was not over when these logs end. What kept it from being worse?"
    length = duration(incident.recovery.time - incident.onset.time)
    return f"It lasted {length} from {clock.time(incident.onset.time)} on, with up to {peak:g} failed requests a second. What kept it from being longer or worse?"


#: What failures after a change of the schema say: that something is not there (any more), or that they wait for it.
_GONE = re.compile(r"(?i)does not exist|unknown column|no such (?:column|table|field)|undefined (?:column|table)|invalid (?:column|object) name|missing column|42703|42P01")
_WAITS = re.compile(r"(?i)\block|timed? ?out|waiting|\b504\b|canceling statement|55P03|57014")


def _seeds(trigger: Candidate, incident: Incident) -> tuple[tuple[str, str], ...]:
    """The measures for a kind of trigger; for a change of the schema by what the failures say."""
    seeds = _SEEDS.get(trigger.kind, ())
    if trigger.kind != "migration":
        return seeds
    words = " ".join([*(e.summary for e in incident.propagation), *(q.text for e in incident.propagation for q in e.evidence)])
    if _GONE.search(words):
        return (
            ("prevent", "Change the schema in steps that the running release can live with: add, release, and only then rename or remove"),
            ("detect", "Run the queries of the running release against a changed schema before it is applied"),
        )
    return seeds if _WAITS.search(words) or any(status in ("504", "499") for status, _ in incident.impact.statuses) else seeds[:0]


#: A writer that is known by its file only is nothing that could be released or limited.
_FILE = re.compile(r"[/\\]|\.(?:log|txt|jsonl?|ndjson|csv|out|err)\b")
#: What ran out or was missing, in the words of what failed: the measure that tells of it in time, and what it does without.
_SHORT_OF: tuple[tuple[str, re.Pattern[str], tuple[str, str]], ...] = (
    ("memory", re.compile(r"(?i)\bMemoryError\b|OutOfMemory|\bheap space\b|cannot allocate memory|out of memory|\boom[- ]?kill"), ("detect", "Alert on the memory of what failed while it grows, before it is gone")),
    ("disk", re.compile(r"(?i)no space left|\bENOSPC\b|disk (?:is )?full|quota exceeded"), ("detect", "Alert on the free space (and inodes) that is left, early enough to act")),
    ("connections", re.compile(r"(?i)too many (?:clients|connections)|no more connections|max_client_conn|connection slots|pool (?:is )?exhausted|QueuePool limit|could not obtain .{0,30}connection"), ("detect", "Alert when connections near their limit, not when it is reached")),
    ("files", re.compile(r"(?i)too many open files|\bEMFILE\b|\bENFILE\b"), ("detect", "Alert when open files near their limit, not when it is reached")),
    ("locks", re.compile(r"(?i)lock wait timeout|deadlock|still waiting for|lock timeout|could not obtain lock"), ("detect", "Alert on sessions that wait for a lock longer than a request may take")),
    ("certificate", re.compile(r"(?i)certificate (?:has )?expired|certificate verify failed|x509:"), ("detect", "Check the certificates that clients are shown from outside, and alert weeks before they expire")),
    ("names", re.compile(r"(?i)could not (?:be )?resolve|name or service not known|name resolution|NXDOMAIN|SERVFAIL|getaddrinfo|no such host"), ("detect", "Resolve the names that services depend on from outside, and alert when one is gone")),
    ("credentials", re.compile(r"(?i)WRONGPASS|authentication failed|access denied for user|password authentication|invalid (?:username|credentials)"), ("prevent", "Try changed credentials against what they open before the old ones are taken away")),
)  # fmt: skip


def _shortages(incident: Incident) -> list[dict[str, Any]]:
    """A measure for what failed, in its own words: whatever set it off, this is what ran out or was missing."""
    quoted = [(q.text, q) for e in incident.propagation for q in e.evidence] + [(e.summary, e.evidence[0]) for e in incident.propagation if e.evidence]
    for _, words, (kind, text) in _SHORT_OF:
        found = next((q for said, q in quoted if words.search(said)), None)
        if found is not None:
            return [_action(text, kind, "what failed says so", (found,))]
    return []


def _actions(incident: Incident) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    trigger = incident.trigger
    worst = incident.impact.endpoints[0].path if incident.impact.endpoints else "the failing requests"
    if trigger:
        subject = trigger.subject or (trigger.service if trigger.service and not _FILE.search(trigger.service) else None) or "the service"
        for kind, text in _seeds(trigger, incident):
            out.append(_action(text.format(subject=subject, what=worst), kind, f"likely trigger: {trigger.summary}", trigger.evidence))
    kinds = {one["type"] for one in out}
    out += [one for one in _shortages(incident) if one["type"] not in kinds]
    if incident.detected is None:
        counted = incident.impact.requests > 0 and incident.impact.failed > 0
        what = f"the share of failed requests ({percent(incident.impact.failed_percent)} here)" if counted else "what told of it here: the lines of trouble and the traffic that was missing"
        out.append(_action(f"Alert on {what}", "detect", "no alert stands in the logs"))
    else:
        late = incident.detected.time - incident.onset.time
        if late > 60 * SECOND:
            out.append(_action("Alert sooner on failed requests", "detect", f"the first alert came {duration(late)} after the onset", incident.detected.evidence))
    if incident.recovery and incident.resolution:
        slow = incident.resolution.time - (incident.detected.time if incident.detected else incident.onset.time)
        since = "it was noticed" if incident.detected else "the onset"
        if slow > 60 * SECOND:
            out.append(_action("Write the steps that ended it into the runbook", "mitigate", f"the act that ended it came {duration(slow)} after {since}", incident.resolution.evidence))
    return out


def _reviewed(incident: Incident, clock: Clock) -> tuple[list[Lesson], list[Lesson]]:
    well: list[Lesson] = []
    badly: list[Lesson] = []
    if incident.detected:
        late = incident.detected.time - incident.onset.time
        text = f"The first alert or report came {duration(late)} after the onset."
        (well if late <= 60 * SECOND else badly).append((text, incident.detected.evidence))
    if incident.resolution and incident.recovery:
        fast = incident.recovery.time - incident.resolution.time
        if 0 <= fast <= 30 * SECOND:
            when = f"{duration(fast)} after" if fast >= SECOND else "in the same second as"
            well.append((f"It ended {when} the act at {clock.time(incident.resolution.time)}.", incident.resolution.evidence))
    if incident.trigger and incident.detected and incident.trigger.time < incident.onset.time - 30 * SECOND:
        which = "trigger" if incident.decision == "confirmed" else "likely trigger"
        badly.append((f"The {which} lies {duration(incident.onset.time - incident.trigger.time)} before the onset, and nothing stopped it in between.", incident.trigger.evidence))
    if incident.impact.failed and incident.evidence:
        badly.append((f"{number(incident.impact.failed)} of {number(incident.impact.requests)} requests ({percent(incident.impact.failed_percent)}) {'were refused' if incident.signal == 'refusals' else 'failed'}.", incident.evidence[:1]))
    return well, badly


def _action(action: str, kind: str, because: str, evidence: tuple[Evidence, ...] = ()) -> dict[str, Any]:
    return {"action": action, "type": kind, "because": because, "evidence": evidence[:1]}


def _unique(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({a["action"]: a for a in actions}.values())
