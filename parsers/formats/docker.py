"""Docker's `json-file` logs: a JSON record for each row that a container wrote.

The record's time is the event's; what the row inside says by its own format fills the other columns. A row that docker cut (its text
does not end with a line feed) is one event with its rest, and so is one with the indented rows that its writer put below it.
Reference: docs.docker.com/engine/logging/drivers/json-file.
"""

from __future__ import annotations

from ..base import Event, Format
from ..timestamps import TimeContext
from .containers import open_row, put_together, row_goes_on
from .json_lines import is_docker, load, record_event


def parse(text: str, context: TimeContext) -> Event | None:
    """The event that begins with a record of docker's; None for any other row."""
    record = load(text.strip()) if '"log"' in text and '"stream"' in text else None
    if not record or not is_docker(record):
        return None
    open_row(context, record["stream"], record["log"], whole=record["log"].endswith("\n"))
    event = record_event(record, text, context, "docker")
    if event.time is None:
        return None
    if not record["log"].endswith("\n"):
        event.fields["partial"] = True
    return event


def continues(text: str, context: TimeContext) -> bool:
    """A record whose row goes on the one before: the rest of a cut row, or a row of a trace."""
    record = load(text.strip()) if '"log"' in text else None
    if not record or not is_docker(record):
        return False
    return row_goes_on(context, record["stream"], record["log"], whole=record["log"].endswith("\n"))


def close(event: Event, context: TimeContext) -> None:
    """Puts the rows of an event's records together to one message."""

    def inside(row: str) -> tuple[str, bool]:
        said = (load(row.strip()) or {}).get("log")
        return (said.removesuffix("\n"), said.endswith("\n")) if isinstance(said, str) else (row, True)

    put_together(event, inside, context)


FORMATS = (
    Format(
        name="docker",
        title="Docker json-file",
        samples=(
            '{"log":"2026/11/23 started\\n","stream":"stderr","time":"2026-11-23T09:57:55.875734123Z"}',
            '{"log":"INFO ready\\n","stream":"stdout","attrs":{"tag":"web"},"time":"2026-11-23T09:57:55.875734123Z"}',
        ),
        reference="docs.docker.com/engine/logging/drivers/json-file",
        parse=parse,
        continues=continues,
        close=close,
        priority=10,
        first="{",
    ),
)
