"""What the analysis found: plain values that the draft, the JSON answer and the report are all made from.

Nothing here judges; `retrolog.pipeline.analysis.analyse` fills these and `retrolog.pipeline.drafting.draft` lays them out. All times are
true times (clock offsets applied) as microseconds since the epoch in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .reports import SourceReport as SourceReport  # noqa: PLC0414 - it is part of the findings for those who read them


@dataclass(frozen=True, slots=True)
class Evidence:
    """The log lines behind a sentence: where they are, what they say, and a digest to find them again.

    `offset` and `size` are bytes in the unpacked text; `digest` is the first 16 hex digits of the SHA-256 of those
    bytes; `text` is the event's first line (and, for a stack trace, its last), cut at 500 characters, unmasked.
    """

    file: str
    line: int
    lines: int = 1
    offset: int = 0
    size: int = 0
    digest: str = ""
    text: str = ""
    time: int | None = None

    @property
    def key(self) -> str:
        """What tells one quoted line from another, also after its file was rotated or packed."""
        return f"{self.digest or self.file}@{self.line}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the timeline: a time, a sentence or two, the reason it is there, and its evidence.

    `kind` is one of: change, trigger, first_failure, last_failure, error, warning, detection, human, action,
    resolution, recovery, context, misleading, gap. `end` is the last occurrence where it spans time.
    """

    time: int
    summary: str
    kind: str
    reason: str
    evidence: tuple[Evidence, ...]
    end: int | None = None
    severity: str | None = None
    host: str | None = None
    service: str | None = None
    count: int = 1
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Bound:
    """A moment with the interval it is known to lie in, and the method that found it."""

    time: int
    earliest: int
    latest: int
    method: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible trigger (or the resolution): what happened, and the case for and against it."""

    time: int
    summary: str
    kind: str
    score: float
    evidence: tuple[Evidence, ...]
    reasons_for: tuple[str, ...] = ()
    reasons_against: tuple[str, ...] = ()
    service: str | None = None
    host: str | None = None
    subject: str | None = None  # what was changed or broke, where the line says so
    decision: str = ""  # what a person decided of it as a trigger: confirmed, rejected


@dataclass(frozen=True, slots=True)
class EndpointImpact:
    """Requests and failures of one endpoint (path with its variable parts marked) from onset to recovery."""

    path: str
    requests: int
    failed: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of the request duration in seconds over `requests` requests; None where not logged."""

    requests: int
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Impact:
    """What the outage cost, counted from onset to recovery; health checks and bots apart."""

    requests: int
    failed: int
    failed_percent: float
    endpoints: tuple[EndpointImpact, ...] = ()
    statuses: tuple[tuple[str, int], ...] = ()  # status word ("502", "499") and count of failed requests
    peak_rate: float | None = None  # failed requests per second in the worst ten seconds
    peak_time: int | None = None
    latency_before: Latency | None = None
    latency_during: Latency | None = None
    clients: int | None = None  # distinct clients seen from onset to recovery
    clients_affected: int | None = None  # of them, those with at least one failed request
    clients_estimated: bool = False
    health_checks: int = 0  # requests left out as health checks
    bots: int = 0  # requests left out as bots
    baseline_failed_percent: float | None = None
    budget_spent_percent: float | None = None  # share of the error budget of --slo spent, over `budget_days`
    slo: float | None = None
    formulas: tuple[tuple[str, str], ...] = ()  # figure and how it was worked out


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage (or partial degradation), onset to recovery, with all that is known of it."""

    onset: Bound
    recovery: Bound | None
    severity: str  # "outage" (half or more of the requests failed) or "partial"
    signal: str  # what showed it: failures, latency, silence, errors
    scope: tuple[str, ...]  # sentences: "868 of 884 requests to /product/{} failed"
    impact: Impact
    evidence: tuple[Evidence, ...]  # first and last failed request
    trigger: Candidate | None = None
    candidates: tuple[Candidate, ...] = ()  # ranked, `trigger` first when there is one
    detected: Candidate | None = None
    acknowledged: Candidate | None = None
    resolution: Candidate | None = None
    propagation: tuple[Entry, ...] = ()  # order of first errors, service by service
    flaps: int = 0  # how often failures stopped for more than a few seconds inside the span
    pauses: tuple[tuple[int, int], ...] = ()  # last failure before, first after each time users were served again
    decision: str = ""  # what a person decided of the trigger: confirmed, unknown


@dataclass(frozen=True, slots=True)
class Series:
    """Requests and failures over time for the figure: one value each `step` seconds from `start`."""

    start: int
    step: int
    requests: tuple[int, ...]
    failed: tuple[int, ...]
    errors: tuple[int, ...]  # log lines of severity error and above


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a draft is made from."""

    window: tuple[int | None, int | None]
    zone: str
    incidents: tuple[Incident, ...]
    timeline: tuple[Entry, ...]
    sources: tuple[SourceReport, ...]
    series: Series | None
    blips: tuple[str, ...] = ()  # sentences: too small to be an outage, named all the same
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # those of the assumptions that are likely to be wrong
    prompts: tuple[tuple[str, str], ...] = ()  # section ("root_cause", "detection", ...) and the question
    actions: tuple[dict[str, Any], ...] = ()  # action, type (prevent, detect, mitigate), because, evidence
    went_well: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()
    went_badly: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()
    lucky: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()
    misleading: tuple[Entry, ...] = ()
    nearly: tuple[Entry, ...] = ()  # what nearly made the timeline, for --explain
    accounting: dict[str, int] = field(default_factory=dict)  # lines by fate over all files
    verdict: str = ""  # the sentence when there is no incident

    @property
    def span(self) -> tuple[int | None, int | None]:
        """What a document of these covers: the window where it has ends, else what the sources cover."""
        start, end = self.window
        firsts = [report.first for report in self.sources if report.first is not None]
        lasts = [report.last for report in self.sources if report.last is not None]
        return (
            start if start is not None else min(firsts, default=None),
            end if end is not None else max(lasts, default=None),
        )
