"""Where the map over files runs: in this process, in local processes, or on a cluster. The answer is the same.

Each file becomes a summary and a report; summaries merge. Nothing else crosses from a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .findings import SourceReport
from .ingest import Reader, Reading

if TYPE_CHECKING:
    from .reach import Reach
    from .sources import LogFile
    from .summary import Summary


@dataclass(frozen=True, slots=True)
class Job:
    """One file to be summarised, and how it is read."""

    file: LogFile
    source: str
    reading: Reading
    reach: Reach | None = None


def summarise(job: Job) -> tuple[Summary, SourceReport]:
    """The summary and the report of one file: the whole map step."""
    from .summary import merge, summarize

    reader = Reader(job.file, job.source, job.reading, job.reach)
    parts: list[Summary] = []
    for table in reader.tables():
        parts.append(summarize(table))
        if len(parts) >= 16:  # merged as they come, so that a file of any size holds sixteen summaries at most
            parts = [merge(parts)]
    return merge(parts), reader.report()


def run(jobs: Sequence[Job], progress: Callable[[Job], None] | None = None) -> tuple[Summary, list[SourceReport]]:
    """All jobs' summaries merged, and their reports in the order of the jobs."""
    from .summary import merge

    summaries, reports = [], []
    for job in jobs:
        summary, report = summarise(job)
        summaries.append(summary)
        reports.append(report)
        if progress:
            progress(job)
    return merge(summaries), reports
