"""Traces of build jobs whose times stand in marks of their own: GitLab's sections, Buildkite's rows, Travis CI's timers.

GitLab marks where a section begins and ends, Travis CI a command's end; the rows between belong to the mark before them. Buildkite marks each row.
Columns: time, message. Traces that begin each row with a date (GitHub Actions, GitLab's newer runners, Jenkins) are read as text.
References: docs.gitlab.com/ci/jobs/job_logs (custom collapsible sections); buildkite.com/docs/pipelines/configure/managing-log-output;
github.com/travis-ci/travis-build (travis_time_finish).
"""

from __future__ import annotations

from ..base import Event, Format
from ..lazy import lazily
from ..timestamps import TimeContext, epoch_time

_SECTION = lazily(r"(?s)section_(?P<edge>start|end):(?P<time>\d{10}):(?P<name>[\w.-]{1,120})(?:\[[^\]]{0,80}\])?\s*(?P<message>.*)$")
_TIMER = lazily(r"(?s)travis_time:end:(?P<name>\w{1,40}):start=\d{19},finish=(?P<time>\d{19}),?(?P<message>.*)$")
_ROW = lazily("(?s)\x1b?_bk;t=(?P<time>\\d{13})\x07?(?P<message>.*)$")


def parse(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a mark of a build job; None for any other row."""
    match = (_SECTION if text[:1] == "s" else _TIMER if text[:1] == "t" else _ROW).match(text)
    if match is None:
        return None
    context.begin()
    context.counts["epoch"] += 1
    event = Event(epoch_time(int(match["time"])), match["message"], "build_job")
    if "name" in match.re.groupindex:
        event.fields["section"] = match["name"]
    return event


FORMATS = (
    Format(
        name="build_job",
        title="Build jobs (GitLab sections, Buildkite, Travis CI)",
        samples=(
            "section_start:1763893229:prepare_executor\r\x1b[0KPreparing the executor",
            "section_end:1763893231:prepare_executor\r\x1b[0K",
            "\x1b_bk;t=1763893229123\x07~~~ Running agent",
            "travis_time:end:0a1b2c3d:start=1763893229123456789,finish=1763893230123456789,duration=1000000000",
        ),
        reference="docs.gitlab.com/ci/jobs/job_logs; buildkite.com/docs/pipelines/configure/managing-log-output",
        parse=parse,
        priority=30,
        first="st\x1b_",
    ),
)
