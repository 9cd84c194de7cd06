"""Who or what may have set the outage off: candidates, ranked and argued both ways.

The score of a candidate is 1.5 x the weight of its kind, less 0.6 ln(1 + delay / 10 s), less ln(times the same thing
happened elsewhere in these logs without failures after it), plus up to 3 for signs that what it touched is what failed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import log
from typing import TYPE_CHECKING

import pandas as pd

from ...counting.polarity import is_undone
from ...findings import Candidate
from ...wording import duration, plural
from ..clues.bonds import WATCHERS, changes, known, stem
from ..clues.deaths import DEATHS
from ..clues.signs import records, varied
from ..evidence import evidence
from ..sentences import said, sentence
from ..traffic import SECOND

if TYPE_CHECKING:
    from ..traffic import Span

#: How long before the onset a change may lie, and how much later than it (stamps of whole seconds round down).
BEFORE = 15 * 60 * SECOND
AFTER = 2 * SECOND
#: How much the weight of a kind counts, and how much each doubling of the time before the onset takes off (docs/accuracy.md).
KIND, DELAY = 1.5, 0.6
#: What lies longer before the onset had time to show without failures.
LATE = 30 * SECOND
#: A start is no candidate where what started then worked for so long; words that tell of no more than a start.
WORKED = 60 * SECOND
_BEGINS = re.compile(r"(?i)\b(?:starting|started|listening|ready|connect(?:ing|ed)|resuming normal|initiali[sz](?:ed|ing)|booting|booted|loaded|up and running)\b")
#: How long after a change its writer may say how it went.
ENDS = 60 * SECOND
#: Characters of a line that the case for a candidate quotes.
QUOTED = 100
_LOGS = frozenset("access error errors log logs syslog messages stdout stderr output debug info main app application".split())
#: Words by which one change takes another back, and what it quotes of it.
_REVERTS = re.compile(r"(?i)\b(?:revert(?:s|ed|ing)?|roll(?:s|ed|ing)?[ -]?back|undo(?:es|ing)?|undid|restor(?:es?|ed|ing))\b")
_QUOTES = re.compile(r"""["'`\u2018\u201c]([^"'`\u2019\u201d]{8,200})["'`\u2019\u201d]""")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*")


def candidates(
    inside: pd.DataFrame, marked: pd.DataFrame, span: Span, others: Sequence[Candidate], resolution: Candidate | None,
    earlier: Sequence[tuple[Span, Candidate | None]], apart: Sequence[Span] = (), shared: Sequence[str] = (),
) -> tuple[Candidate, ...]:  # fmt: skip
    """At most five candidates for the trigger, the best first.

    `inside` are the signs in the window, `marked` those of them that mark something, `others` candidates found elsewhere.
    `resolution` is the act that ended the outage: what it undid is likelier to have begun it. `earlier` are the outages
    before this one, each with what is thought to have set it off; `apart` all other outages. `shared` names what all failed
    requests, and no others, have.
    """
    onset = span.onset.time
    time = marked["time"].astype("int64")
    near = marked[(time >= onset - BEFORE) & (time <= onset + AFTER) & marked["role"].isin(["change", "event", "action"])]
    near = near[~near["routine"].astype(bool)]
    measured = near[near["kind"] == "pressure"]
    if len(near) > len(measured):
        near = near.drop(measured.index)  # a warning that something runs short is a sign of the cause, no rival of it
    failing = Failing.during(inside, span)
    groups = changes(_with_own_words(near, inside, span))
    argued = [_argued(group, marked, span, failing, resolution, apart) for group in groups]
    argued = [_names_what_failed(c, group, shared) for c, group in zip(argued, groups, strict=True)]
    argued = [_with_its_end(c, group, inside, span) for c, group in zip(argued, groups, strict=True)]
    if (foretold := _foretold(inside, span)) is not None:
        lasting = next((c for c in argued if c is not None and c.kind in _LASTING and abs(c.time - onset) <= _AHEAD), None)
        if lasting is None:
            argued.append(foretold)
        else:  # what was foretold came: the line beforehand speaks for it
            why = f"a line of {duration(onset - foretold.time)} before names this moment: {said(foretold.summary, QUOTED)}"
            told = replace(lasting, score=lasting.score + 2, reasons_for=(*lasting.reasons_for, why), evidence=(*lasting.evidence[:4], *foretold.evidence))
            argued = [told if c is lasting else c for c in argued]
    ranked = [_spent(c, [e for e in earlier if e[0].end < onset]) for c in (*argued, *others) if c is not None]
    complaint = _first_complaint(inside, span)
    if complaint is not None and all(c.score < complaint.score for c in ranked):
        ranked.append(complaint)
    ranked.sort(key=lambda c: (-c.score, -c.time, c.summary))
    if ranked and ranked[0].kind != "pressure":
        ranked[0] = _with_omen(ranked[0], omens(inside, span, ranked[0]), onset)
    return tuple(_part_of(c, ranked[0]) for c in ranked[:5] if c.score > 0)


def omens(inside: pd.DataFrame, span: Span, candidate: Candidate) -> pd.DataFrame:
    """Warnings that something ran short, between a candidate and shortly after the onset, by programs that measure."""
    time = inside["time"].astype("int64")
    since = max(candidate.time, span.onset.time - BEFORE)
    return inside[(time >= since) & (time <= span.onset.time + AFTER) & (inside["kind"] == "pressure") & ~inside["recurs"]]


def _with_omen(candidate: Candidate, rows: pd.DataFrame, onset: int) -> Candidate:
    """The candidate with what was measured between it and the onset, which speaks for it."""
    if rows.empty:
        return candidate
    row = rows.iloc[-1]
    delay = onset - int(row["time"])
    when = f"{duration(delay)} before the onset" if delay >= SECOND else "at the onset"
    why = f"{sentence(row)}, {when}: it came between the two"
    return replace(candidate, reasons_for=(*candidate.reasons_for, said(why, QUOTED + 60)), evidence=(*candidate.evidence[:4], evidence(records(rows.tail(1))[0])))


def _names_what_failed(candidate: Candidate | None, rows: pd.DataFrame, shared: Sequence[str]) -> Candidate | None:
    """The candidate, which gains where its lines name what all failed requests have and the others have not."""
    text = "\n".join(str(message).lower() for message in rows["message"])
    word = next((w for w in shared if re.search(rf"(?<![a-z0-9]){re.escape(w)}(?![a-z0-9])", text)), None)
    if candidate is None or word is None:
        return candidate
    why = f"it names {word}, which the failed requests have in common"
    return replace(candidate, score=round(candidate.score + 2.5, 3), reasons_for=(*candidate.reasons_for, why))


#: Words of a piece of work that is over, how long before the onset it may have begun, and how near the recovery its end lies.
_OVER = re.compile(r"(?i)\b(?:finish(?:ed|es)|done|completed?|ended|succeeded|exited|released)\b")
_WORK, _TOGETHER, _SHORT = 60 * SECOND, 5 * SECOND, 10 * SECOND


def _with_its_end(candidate: Candidate | None, rows: pd.DataFrame, inside: pd.DataFrame, span: Span) -> Candidate | None:
    """The candidate, which gains where it is a piece of work that was over when the outage was: a dump that holds a lock, a heavy query."""
    if candidate is None or span.recovery is None:
        return candidate
    onset, end = span.onset.time, span.recovery.time
    began = int(rows["time"].min())
    if not onset - _WORK <= began <= onset + AFTER or end - onset < _SHORT or (rows["actor"].notna() & rows["kind"].ne("job")).any():
        return candidate
    time = inside["time"].astype("int64")
    late = inside[(time > onset + AFTER) & (time <= end + _TOGETHER) & inside["message"].map(lambda m: bool(_OVER.search(str(m)[:200])))]
    workers = {(stem(r["who"]), r["host"]) for r in records(rows)} | {(stem(r["subject"]), r["host"]) for r in records(rows) if known(r["subject"])}
    about = {stem(s) for s in rows["subject"].dropna()} | {stem(w) for w in rows["who"]}
    its = [row for row in records(late) if (stem(row["who"]), row["host"]) in workers and (not known(row["subject"]) or stem(row["subject"]) in about)]
    if not its or int(its[0]["time"]) < end - _TOGETHER:
        return candidate  # what was over long before the outage did not keep it up
    why = f"it was over when the outage was: {said(sentence(its[0]), QUOTED)}"
    return replace(candidate, score=round(candidate.score + 3.0, 3), reasons_for=(*candidate.reasons_for, why), evidence=(*candidate.evidence[:4], evidence(its[0])))


#: How long before the onset a complaint of another service may begin, how often it must come, and what it is worth as a candidate:
#: more than a change that no error names and that came long before, less than any other.
_COMPLAINS, _OFTEN, _DEPENDENCY = 10 * SECOND, 5, 2.1
_ON_ANOTHER = frozenset({"timeout", "refused", "dns", "tls", "replication", "limit"})
_SLOW_CALL = re.compile(r"(?i)\b(?:slow|timed? ?out|unreachable|unavailable|not respond\w*|no (?:answer|response|route)|took \d)")


def _first_complaint(inside: pd.DataFrame, span: Span) -> Candidate | None:
    """The first thing said of something else that does not answer as it did, where it began with the outage: a dependency may be the cause."""
    onset = span.onset.time
    time = inside["time"].astype("int64")
    wrong = ((inside["rank"] >= 3) | (inside["role"] == "symptom")) & (inside["role"].isna() | (inside["role"] == "symptom"))
    of_another = inside["kind"].isin(_ON_ANOTHER) | (inside["role"].isna() & inside["message"].map(lambda m: bool(_SLOW_CALL.search(str(m)[:400]))))
    rows = inside[wrong & of_another & ~inside["recurs"]]
    began = rows["group"].map(time[rows.index].groupby(rows["group"]).min())
    often = rows["group"].map(rows.groupby("group")["count"].sum()) >= _OFTEN
    first = rows[often & (began >= onset - _COMPLAINS) & (began <= onset + SECOND)]
    first = first[~first["who"].map(lambda who: bool(WATCHERS.search(str(who))))]
    if first.empty:
        return None
    row = first.iloc[0]
    delay = onset - int(row["time"])
    same = first[first["group"] == row["group"]]
    return Candidate(
        time=int(row["time"]), summary=sentence(row), kind="dependency", score=_DEPENDENCY, evidence=tuple(evidence(r) for r in records(same.head(3))),
        reasons_for=(_lead(delay), "the first complaint about something else that does not answer as it did"),
        reasons_against=("it may be an effect: it began with the failures",), service=known(row["who"]), host=known(row["host"]),
    )  # fmt: skip


def _with_own_words(near: pd.DataFrame, inside: pd.DataFrame, span: Span) -> pd.DataFrame:
    """The changes, and what each changed thing itself said between its change and the onset: a job tells how it went."""
    since: dict[str, int] = {}
    for row in records(near[near["role"] == "change"]):
        if known(row["subject"]):
            since.setdefault(stem(row["subject"]), int(row["time"]))
    if not since:
        return near
    time = inside["time"].astype("int64")
    quiet = inside["role"].isna() & (time <= span.onset.time + AFTER) & (time >= span.onset.time - BEFORE)
    heard = pd.Series([since.get(stem(who), at + 1) <= at for who, at in zip(inside["who"], time, strict=True)], index=inside.index)
    rare = inside["group"].map(inside.groupby("group")["count"].sum()) <= 2
    own = inside[quiet & heard & rare]
    own = own.groupby("group", sort=False).head(2).head(40)
    if own.empty:
        return near
    # these rows carry no weight of their own: they are heard, not judged
    own = own.assign(subject=own["who"], weight=0.0, role="change", kind="job", routine=False)
    return pd.concat([near, own]).sort_values(["time", "file", "line"], kind="stable")


def _spent(candidate: Candidate, earlier: Sequence[tuple[Span, Candidate | None]]) -> Candidate:
    """A candidate that lies before the end of an earlier outage, which it may explain instead."""
    before = [(span, trigger) for span, trigger in earlier if candidate.time <= span.end]
    if not before:
        return candidate
    led = any(trigger is not None and trigger.time == candidate.time for _, trigger in before)
    score = candidate.score - (6.0 if led else 3.0)
    why = "it set off earlier failures, which ended before this one began" if led else "earlier failures began after it and ended before this one"
    return replace(candidate, score=round(score, 3), reasons_against=(*candidate.reasons_against, why))


def _part_of(candidate: Candidate, best: Candidate) -> Candidate:
    """A rival that follows the best candidate at once is likely a part of it, and says so."""
    gap = candidate.time - best.time
    if candidate is best or not 0 <= gap <= 10 * SECOND:
        return candidate
    against = f"follows the first candidate within {duration(max(gap, SECOND))}, so it may be a part of it"
    return replace(candidate, reasons_against=(*candidate.reasons_against, against))


#: Kinds of event that are a state: who meets it says so each time, and it began on its own.
_LASTING = ("certificate", "expiry")
#: Which complaints a kind of change or event brings about in what depends on it.
_KIN = {
    "dns": {"dns"}, "certificate": {"tls", "certificate"}, "expiry": {"tls", "certificate", "expiry"}, "migration": {"lock"},
    "firewall": {"timeout", "refused"}, "network": {"timeout", "refused", "dns"}, "mount": {"disk"}, "disk": {"disk"},
    "disk_full": {"disk_full"}, "oom": {"oom"}, "exhaustion": {"exhaustion"}, "limit": {"limit"}, "lock": {"lock"},
}  # fmt: skip
#: A clause of a message that two writers share word by word is long enough to be no chance.
_CLAUSE, _CLAUSE_WORDS = 20, 3
#: A thing that so many patterns name is named by chance.
FEW = 8
_THING = re.compile(r"[a-z0-9_]*[a-z][a-z0-9_]*(?:[-./:@][a-z0-9_]+)+")
#: A measured number: what it measures stands behind it. `412.331207 seconds` and `412 s` are one.
_MEASURED = re.compile(r"(?<![\w.:])(\d+(?:\.\d+)?) ?(seconds?|secs?|s|ms|milliseconds?|minutes?|min|hours?|h|bytes|[kmgt]i?b|rows|items|connections|files|%)(?![\w/])", re.IGNORECASE)
_LEAST, _ALIKE = 10.0, 0.005
_CUTS = re.compile(r"(?:: |\n|; |\s-\s|, |\\n)")


def _things(text: str) -> set[str]:
    """Host names, paths, and names of several parts in a message (in lower case), each of at least eight letters."""
    return {thing.strip("./:") for thing in _THING.findall(text[:1500]) if len(thing) >= 8}


_QUOTED = re.compile(r"[\"'`\u201c\u2018]([a-z][a-z0-9_]{3,40})[\"'`\u201d\u2019]")
_COMPOUND = re.compile(r"[a-z][a-z0-9]*(?:[._/-]+[a-z][a-z0-9]*)+")
#: Parts of names that stand in names of all kinds.
_COMMON = frozenset(
    "server service client config error errors failed failure request requests response connection connect upstream downstream localhost http https "
    "access system update default value values public private local remote index table column users admin main runtime internal external process "
    "worker manager handler module package release version status state query timeout thread socket stream buffer input output python django "
    "usr/bin/sbin/etc/var/lib/home/opt/srv/run/log/logs/lib64/share".replace("/", " ").split()
)


def _parts(text: str) -> set[str]:
    """Words of five letters and more that are quoted, or are parts of names with separators (`items.summary`, `tax_rate`)."""
    words = {word for name in _COMPOUND.findall(text[:1500]) for word in re.split(r"[._/-]+", name)}
    words |= {word for name in _QUOTED.findall(text[:1500]) for word in (name, *name.split("_"))}
    return {word for word in words if len(word) >= 5 and word not in _COMMON and not word.isdigit()}


def _numbers(text: str) -> set[tuple[float, str]]:
    """The measured numbers of a message, with the first letter of their unit."""
    return {(float(n), unit[0].lower()) for n, unit in _MEASURED.findall(text[:1500]) if float(n) >= _LEAST}


@dataclass(frozen=True, slots=True)
class Failing:
    """What the complaints of an outage say: names with the patterns that say each, kinds, writers, and whole messages."""

    names: dict[str, set[str]]
    kinds: set[str]
    writers: set[str]
    messages: dict[str, str]  # by pattern
    words: tuple[frozenset[str], ...]  # the parts of names of every pattern of all logs
    things: dict[str, int]  # what they name that looks like no word (a host name, a path, an identifier): patterns of all logs that do

    @classmethod
    def during(cls, inside: pd.DataFrame, span: Span) -> Failing:
        """The complaints of the first five minutes of a span, one of each pattern."""
        time = inside["time"].astype("int64")
        until = min(span.end, span.onset.time + 300 * SECOND)
        complaint = (inside["rank"] >= 3) | inside["role"].isin(["event", "symptom"])
        bad = inside[(time >= span.onset.time - 5 * SECOND) & (time <= until) & complaint & ~inside["recurs"]].drop_duplicates("group")
        said: dict[str, set[str]] = {}
        for row in records(bad):
            for name in {stem(word) for word in _NAME.findall(f"{row['who']} {row['source']} {row['message']}".lower())}:
                said.setdefault(name, set()).add(str(row["group"]))
        messages = {str(row["group"]): str(row["message"]).lower() for row in records(bad)}
        named = {thing for text in messages.values() for thing in _things(text)}
        things: dict[str, int] = dict.fromkeys(named, 0)
        for text in inside.drop_duplicates("group")["message"]:
            for thing in named & _things(str(text).lower()):
                things[thing] += 1
        return cls(
            said,
            {str(kind) for kind in bad["kind"].dropna()},
            {stem(who) for who in bad["who"]},
            messages,
            tuple(frozenset(_parts(str(text).lower())) for text in inside.drop_duplicates("group")["message"]),
            things,
        )

    def shared(self, rows: pd.DataFrame) -> tuple[str, int] | None:
        """A thing that these rows name and what failed names too, but few others do; and the place of the row that names it."""
        own, who = set(rows["group"]), set(rows["who"])
        theirs = [_things(text) for group, text in self.messages.items() if group not in own and group.split("\x1f")[0] not in who]
        for place, message in enumerate(rows["message"]):
            for thing in sorted(_things(str(message).lower()), key=lambda t: (-len(t), t)):
                if self.things.get(thing, FEW + 1) <= FEW and any(thing in named for named in theirs):
                    return thing, place
        return None

    def part(self, rows: pd.DataFrame) -> tuple[str, int] | None:
        """A part of a name in these rows that complaints of others name in quotes or as a part, and few patterns of all logs."""
        own, who = set(rows["group"]), set(rows["who"])
        theirs = {word for group, text in self.messages.items() if group not in own and group.split("\x1f")[0] not in who for word in _parts(text)}
        for place, message in enumerate(rows["message"]):
            for word in sorted(_parts(str(message).lower()) & theirs, key=lambda w: (-len(w), w)):
                if sum(word in words for words in self.words) <= FEW:
                    return word, place
        return None

    def measures(self, rows: pd.DataFrame) -> tuple[str, int] | None:
        """A number that these rows and few complaints of others measure alike, and the place of the row that names it."""
        own, who = set(rows["group"]), set(rows["who"])
        theirs = [_numbers(text) for group, text in self.messages.items() if group not in own and group.split("\x1f")[0] not in who]
        for place, message in enumerate(rows["message"]):
            for value, unit in sorted(_numbers(str(message).lower()), reverse=True):
                same = [n for named in theirs for n, u in named if u == unit and abs(n - value) <= max(_ALIKE * value, 0.5)]
                if same and len(theirs) and sum(bool(named) for named in theirs) <= FEW and value != round(value, -1):
                    return f"{same[0]:g} {unit}", place
        return None

    def repeats(self, rows: pd.DataFrame) -> str | None:
        """A clause of these rows that others complain of in the same words."""
        own, who = set(rows["group"]), set(rows["who"])
        others = [text for group, text in self.messages.items() if group not in own and group.split("\x1f")[0] not in who]
        for message in rows["message"]:
            for clause in _CUTS.split(str(message).lower()[:600]):
                words = clause.strip(" .'\"")
                if len(words) >= _CLAUSE and words.count(" ") >= _CLAUSE_WORDS and any(words in text for text in others):
                    return words
        return None


def _argued(
    rows: pd.DataFrame, marked: pd.DataFrame, span: Span, failing: Failing, resolution: Candidate | None, apart: Sequence[Span]
) -> Candidate | None:
    first = rows.iloc[0]
    best = rows.iloc[int(rows["weight"].astype(float).fillna(0.0).to_numpy().argmax())]
    weight = float(best["weight"])
    if weight <= 0:
        return None
    onset = span.onset.time
    delay = onset - int(first["time"])
    for_, against = [], []
    score = KIND * weight - DELAY * log(1 + max(0, delay) / SECOND / 10)
    for_.append(_lead(delay))
    if delay >= LATE:
        against.append(f"it began only {duration(delay)} after it")
    when = happenings(elsewhere(rows, marked))
    led = [at for at in when if any(s.onset.time - FOLLOWED <= at <= s.end for s in apart)]
    when = [at for at in when if at not in led]
    before, later = sum(at < int(first["time"]) for at in when), sum(at > span.end + 30 * SECOND for at in when)
    if led:
        score += 1.0
        for_.append(f"the same came with another outage in these logs ({plural(len(led), 'time')})")
    if before or later:
        score -= log(1 + before + later)
        where = " and ".join(f"{plural(n, 'time')} {word}" for n, word in ((before, "before"), (later, "later")) if n)
        against.append(f"the same happened {where} in these logs without failures after it")
    elif not when and not led:
        for_.append("seen nowhere else in these logs")
    alike = marked[(marked["who"] == best["who"]) & (marked["kind"] == best["kind"])]
    stamps = alike["time"].astype("int64")
    again = int(alike.loc[(stamps >= onset) & (stamps <= span.end) & ~alike.index.isin(rows.index), "count"].sum())
    if best["kind"] in _LASTING and again >= 3:
        for_.append("it lasts until someone mends it")
    elif best["role"] == "event" and delay <= 30 * SECOND and again >= 3:
        # what keeps happening while the outage lasts is the outage, not what set it off
        score -= 2 + log(again)
        against.append(f"it came {again} times more while requests failed, as an effect would")
    touched = _touched(rows, failing.names)
    silenced = span.signal == "silence" and best["kind"] in ("stop", "kill", "crash", "oom", "restart", "package", "config")
    if silenced and delay <= 60 * SECOND:
        # a server that is down names nobody in its errors: that it stopped is what the silence says
        touched = touched or [(str(best["subject"] or best["who"]), 1)]
    repeated = failing.repeats(rows)
    if repeated:
        # the job that filled the disk and the service that finds it full say so in the same words
        score += 2.0
        for_.append(f"what failed says the same: {repeated}")
    shared = failing.shared(rows) if not repeated else None
    if shared:
        score += 1.5
        for_.append(f"what failed names {shared[0]} too")
    part = failing.part(rows) if not repeated and not shared else None
    if part:
        score += 1.0
        for_.append(f"what failed names {part[0]}, as it does")
        shared = part
    measured = failing.measures(rows) if not repeated and not shared else None
    if measured:
        score += 1.5
        for_.append(f"what failed tells of {measured[0]} too")
        shared = measured
    if _KIN.get(str(best["kind"]), set()) & (failing.kinds - {str(k) for k in rows["kind"] if best["role"] == "event"}):
        score += 1.0
        for_.append("what failed fails as it would after this")
    if touched:
        score += min(3.0, 1.0 + 0.5 * sum(n for _, n in touched))
        for_.append("what failed names " + ", ".join(name for name, _ in touched[:3]))
    elif known(best["subject"]) and not repeated and not shared:
        score -= 1.0
        against.append(f"no error names {best['subject']}")
    elif not repeated and not shared:
        score -= 0.5
    if delay >= WORKED and rows["kind"].isin(("start", "change")).all() and rows["message"].map(lambda m: bool(_BEGINS.search(str(m)[:200]))).all():
        # whoever started long before and met no failure until now did not bring it
        score -= 2.0
        against.append(f"what started worked for {duration(delay)} without failures")
    subjects = {stem(s) for s in rows["subject"].dropna()}
    if resolution and resolution.time > int(rows["time"].max()) and resolution.subject and stem(resolution.subject) in subjects:
        # set back at the end: who did it thought so too
        score += 1.5
        for_.append(f"the act that ended it is about {resolution.subject} too")
    said_so = marked[(marked["who"] == first["who"]) & (marked["time"].astype("int64") >= int(first["time"]))]
    said_so = said_so[said_so["time"].astype("int64") <= int(rows["time"].max()) + ENDS]
    idle = next((str(m) for m in said_so["message"] if is_undone(str(m))), None)
    if idle:
        score -= 2.5
        against.append(f"it says itself that it changed nothing: {said(idle, QUOTED)}")
    undone = _reverted(rows, marked[(marked["time"].astype("int64") > int(rows["time"].max()))])
    if undone:
        # whoever took this very change back thought that it was the cause
        score += 2.5
        for_.append(f"it was reverted later: {undone}")
    if rows["who"].map(lambda who: bool(WATCHERS.search(str(who)))).all():
        score *= 0.4
        against.append(f"{first['who']} watches the service and does not serve it")
    quoted = rows.iloc[shared[1]] if shared and best["subject"] is None else best if best["phase"] == "start" else first
    if shared and rows.iloc[shared[1]]["message"] != quoted["message"]:
        for_.append(f"its line: {said(rows.iloc[shared[1]]['message'], QUOTED)}")
    if str(quoted["message"]).count(" ") < 3:
        # a record of pairs tells less than the sentence beside it
        plain = rows[(rows["kind"] == quoted["kind"]) & rows["message"].map(lambda m: str(m).count(" ") >= 3)]
        quoted = plain.iloc[0] if len(plain) else quoted
    deaths = rows[rows["kind"].isin(DEATHS) & (rows["message"] != quoted["message"])]
    if len(deaths):
        # who died of it says more than that it began
        for_.append(f"with it came: {said(deaths.iloc[0]['message'], QUOTED)}")
    # a sentence has the time of the line that it quotes
    at = int(quoted["time"])
    for_[0] = _lead(onset - at)
    return Candidate(
        time=at,
        summary=sentence(quoted),
        kind=str(first["kind"]),
        score=round(score, 3),
        evidence=tuple(evidence(r) for r in records(varied(rows))),
        reasons_for=tuple(for_),
        reasons_against=tuple(against),
        service=known(first["who"]),
        host=known(first["host"]),
        subject=known(best["subject"]) or next((str(s) for s in rows["subject"].dropna()), None),
    )


#: An outage that begins so long after something has to do with it.
FOLLOWED = 60 * SECOND


def elsewhere(rows: pd.DataFrame, marked: pd.DataFrame) -> pd.DataFrame:
    """The rows that say the same of the same thing at other times."""
    same = marked["group"].isin(rows["group"]) & (marked["subject"].isin(rows["subject"].dropna()) | bool(rows["subject"].isna().any()))
    return marked[same & ~marked.index.isin(rows.index)]


def happenings(rows: pd.DataFrame) -> list[int]:
    """When what these rows tell of happened: several lines within seconds are one report."""
    out: list[int] = []
    last = None
    for at in rows["time"].astype("int64").sort_values().tolist():
        if last is None or at - last > 15 * SECOND:
            out.append(at)
        last = at
    return out


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)")
_ENDS_THEN = re.compile(r"(?i)not ?after|expir|valid (?:un)?til|until|deadline|runs out|scheduled|maintenance|end of (?:life|term)|takes effect|effective")
#: How near the onset a foretold moment lies, how long before it the line must stand, and what such a line is worth.
_MEETS, _AHEAD, _FORETOLD = (60 * SECOND, 2 * SECOND), 5 * SECOND, 4.2


def _foretold(inside: pd.DataFrame, span: Span) -> Candidate | None:
    """A line that named the moment of the onset beforehand: a certificate's end, a deadline, a maintenance."""
    onset = span.onset.time
    rows = inside[(inside["time"].astype("int64") < onset) & inside["message"].map(lambda m: bool(_ENDS_THEN.search(str(m)[:600])))]
    for row in records(rows):
        for day, clock, zone in _MOMENT.findall(str(row["message"])[:600]):
            sign = "+00:00" if zone in ("Z", "UTC", "GMT") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
            try:
                moment = round(datetime.fromisoformat(f"{day}T{clock}{sign}").timestamp() * SECOND)
            except ValueError:
                continue
            if onset - _MEETS[0] <= moment <= onset + _MEETS[1] and moment - int(row["time"]) >= _AHEAD:
                return Candidate(
                    time=int(row["time"]), summary=sentence(row), kind="expiry", score=_FORETOLD, evidence=(evidence(row),),
                    reasons_for=(f"it names {day} {clock} {zone}, the moment of the onset", "written beforehand"),
                    service=known(row["who"]), host=known(row["host"]), subject=known(row["subject"]),
                )  # fmt: skip
    return None


def _lead(delay: int) -> str:
    if delay < 0:
        return f"{duration(-delay)} after the first failed stamp, within what the clocks can tell"
    return f"{duration(delay)} before the onset" if delay >= SECOND else "in the same second as the onset"


def _reverted(rows: pd.DataFrame, later: pd.DataFrame) -> str | None:
    """What a later change says that takes these rows back, by quoting how one of them names itself."""
    own = {quoted.lower() for message in rows["message"] for quoted in _QUOTES.findall(str(message)[:600])}
    own = {quoted for quoted in own if not _REVERTS.search(quoted)}
    for message in later["message"] if own else ():
        text = str(message)[:600]
        if _REVERTS.search(text) and any(quoted in text.lower() for quoted in own):
            return said(text, QUOTED)
    return None


def _touched(rows: pd.DataFrame, failing: dict[str, set[str]]) -> list[tuple[str, int]]:
    """What the change names that the failures name too (whole names, and the parts of a path or unit)."""
    names: dict[str, int] = {}
    own = set(rows["group"])
    for subject in rows["subject"].dropna().unique():
        for part in {stem(subject), *(stem(p) for p in re.split(r"[/.@:\s]", str(subject).lower()) if p)}:
            # what the change itself says of the name proves nothing, and no more does what every log is called
            if len(part) > 2 and part not in _LOGS and (others := failing.get(part, set()) - own):
                names[part] = len(others)
    return sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))
