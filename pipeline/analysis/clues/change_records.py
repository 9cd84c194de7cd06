"""Reads changes that were recorded outside the logs: a change file (CSV or JSON) and the history of a git clone."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import BadOption

_TIME = (
    "time",
    "timestamp",
    "@timestamp",
    "date",
    "datetime",
    "start",
    "started_at",
    "created_at",
    "at",
    "when",
    "ts",
)
_SUMMARY = ("summary", "message", "title", "description", "what", "text", "name", "change", "subject")
_KIND = ("kind", "type", "category", "action")
_SUBJECT = (
    "service",
    "component",
    "application",
    "app",
    "system",
    "object",
    "subject",
    "project",
    "repository",
)
_LISTS = ("changes", "events", "items", "data", "deployments", "deploys", "records")
_MICRO = 1_000_000
Span = tuple[int, int]
# Numbers this large are milliseconds (or finer): as seconds they would lie beyond the year 5000.
_SECONDS_END = 1e11


class ChangeRecord(NamedTuple):
    """A recorded change: `time` in microseconds since the epoch (UTC), a sentence, its kind, and what was changed.

    `file` and `line` are where it is recorded: the change file, or `git:NAME@COMMIT` and 1. `data` are the bytes of its
    lines there, `offset` where they begin.
    """

    time: int
    summary: str
    kind: str
    subject: str | None
    file: str = ""
    line: int = 1
    offset: int = 0
    data: bytes = b""


def changes_from_file(path: Path | str, zone: tzinfo = UTC) -> list[ChangeRecord]:
    """Reads a change file, in time order: CSV with a header, a JSON array of objects, or JSON Lines.

    Each row needs a time (`time`, `timestamp`, `date`, ...; ISO 8601, what dateutil reads, or epoch seconds or
    milliseconds; without an offset it is in `zone`) and a text (`summary`, `message`, `title`, ...); `kind` and
    `service` are taken where given. Raises BadOption when the file cannot be read or a row lacks a time or a text.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise BadOption(
            f"The change file {path} cannot be read ({error.strerror}); name an existing file."
        ) from error
    except UnicodeDecodeError as error:
        raise BadOption(f"The change file {path} is not UTF-8 text; save it as UTF-8 CSV or JSON.") from error
    rows = _json_rows(text, path) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, path)
    places = _places(data, text, [span for _, span in rows])
    records = []
    for number, ((row, _), (line, offset, cited)) in enumerate(zip(rows, places, strict=True), start=1):
        keyed = {str(key).strip().lower(): value for key, value in row.items() if key is not None}
        time = _first(keyed, _TIME)
        summary = _first(keyed, _SUMMARY)
        if time is None or summary is None:
            lacking = "time" if time is None else "summary"
            raise BadOption(f"Row {number} of the change file {path} has no {lacking}; give each row both.")
        records.append(
            ChangeRecord(
                _micros(time, zone, f"Row {number} of the change file {path}"),
                str(summary).strip(),
                str(_first(keyed, _KIND) or "change").strip().lower(),
                _text(_first(keyed, tuple(name for name in _SUBJECT if keyed.get(name) is not summary))),
                path.as_posix(),
                line,
                offset,
                cited,
            )
        )
    return sorted(records, key=lambda record: (record.time, record.line))


def _places(data: bytes, text: str, spans: Sequence[Span]) -> list[tuple[int, int, bytes]]:
    """The first line, its byte offset and the bytes of the whole lines that each stretch of the text lies in."""
    mark = len(data) - len(text.encode())
    places = []
    line, seen, offset = 1, 0, mark
    for start, end in spans:
        begin = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", max(start, end - 1))
        between = text[seen:begin]
        line, offset, seen = line + between.count("\n"), offset + len(between.encode()), begin
        places.append((line, offset, text[begin : stop if stop >= 0 else len(text)].removesuffix("\r").encode()))
    return places


def changes_from_git(
    repository: Path | str, since: int | None = None, until: int | None = None, limit: int = 10_000
) -> list[ChangeRecord]:
    """Lists the commits of all branches (by commit time) and the tags (by tagging time) of a local clone, in time order.

    `since` and `until` are microseconds since the epoch. Reads only: no hook, pager, filter, signature check or
    network is used. Raises BadOption when `repository` is no git repository or git is not installed.
    """
    repository = Path(repository)
    span = []
    if since is not None:
        span.append(f"--since=@{since // _MICRO}")
    if until is not None:
        span.append(f"--until=@{-(-until // _MICRO)}")
    commits = _git(
        repository,
        "log",
        "--all",
        f"--max-count={limit}",
        *span,
        "--no-show-signature",
        "--format=%x1e%ct%x1f%h%x1f%s%x1f%H",
    )
    name = repository.resolve().name
    records = []
    for record in commits.split("\x1e"):
        fields = record.strip("\n").split("\x1f")
        if len(fields) == 4 and fields[0].isdigit():
            time, short, subject, commit = fields
            moment = int(time) * _MICRO
            said = f"commit {short}: {subject}"
            records.append(ChangeRecord(moment, said, "commit", None, f"git:{name}@{commit[:12]}", 1, 0, _cited(commit, moment, subject)))
    tags = _git(
        repository,
        "for-each-ref",
        "--format=%(creatordate:unix)%1f%(refname:strip=2)%1f%(contents:subject)",
        "refs/tags",
    )
    for line in tags.split("\n"):
        fields = line.split("\x1f")
        if len(fields) == 3 and fields[0].isdigit():
            moment = int(fields[0]) * _MICRO
            if (since is None or moment >= since) and (until is None or moment < until):
                text = f"tag {fields[1]}: {fields[2]}" if fields[2] else f"tag {fields[1]}"
                records.append(
                    ChangeRecord(moment, text, "tag", fields[1], f"git:{name}@{fields[1]}", 1, 0, _cited(fields[1], moment, fields[2]))
                )
    return sorted(records, key=lambda record: (record.time, record.kind, record.summary))


def _cited(what: str, time: int, subject: str) -> bytes:
    """The line that stands for a commit or a tag where it is quoted: its name, its time in UTC, its subject."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)
    return f"{what} {moment:%Y-%m-%dT%H:%M:%SZ} {subject}".rstrip().encode()


def _git(repository: Path, *arguments: str) -> str:
    if not repository.is_dir():
        raise BadOption(f"{repository} is no folder; give --git the path of a local clone.")
    # Settings of the user and of the clone must not run programs or change the output.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }
    settings = (
        "core.fsmonitor=false",
        f"core.hooksPath={os.devnull}",
        "log.showSignature=false",
        "log.mailmap=false",
    )
    command = ["git", "--no-pager", "--no-replace-objects", "-C", str(repository)]
    for setting in settings:
        command += ["-c", setting]
    try:
        done = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
    except FileNotFoundError as error:
        raise BadOption(
            "git is not installed, so --git cannot be used; install git or leave the option out."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise BadOption(f"git did not answer within a minute for {repository}; try without --git.") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise BadOption(f"The git history of {repository} cannot be read ({said}); give --git a local clone.")
    return done.stdout.decode("utf-8", "replace")


def _csv_rows(text: str, path: Path) -> list[tuple[Mapping[str, Any], Span]]:
    """The rows of a CSV file with a header, each with the stretch of the text that it is."""
    skipped = len(text) - len(text.lstrip())
    header = text[skipped:].split("\n", 1)[0]
    delimiter = max(",;\t|", key=header.count)
    lines = io.StringIO(text[skipped:]).readlines()
    starts = list(accumulate((len(line) for line in lines), initial=skipped))
    reader = csv.DictReader(lines, delimiter=delimiter)
    rows: list[tuple[Mapping[str, Any], Span]] = []
    try:
        done = 1
        for row in reader:
            while done < reader.line_num - 1 and not lines[done].strip():
                done += 1
            if any(value for value in row.values()):
                rows.append((row, (starts[done], starts[reader.line_num])))
            done = reader.line_num
    except csv.Error as error:
        raise BadOption(
            f"The change file {path} is no CSV ({error}); give it a header line and one row a change."
        ) from error
    return rows


def _json_rows(text: str, path: Path) -> list[tuple[Mapping[str, Any], Span]]:
    """The objects of a JSON array, of a list in a JSON object, or of JSON lines, each with the stretch of the text that it is."""
    try:
        try:
            value = json.loads(text, parse_constant=str)
        except json.JSONDecodeError:
            value = [json.loads(line, parse_constant=str) for line in text.split("\n") if line.strip()]
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadOption(f"The change file {path} is not JSON ({error}); give an array of objects.") from error
    if isinstance(value, dict):
        value = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), [value])
    rows: list[Mapping[str, Any]] = []
    for row in value if isinstance(value, list) else [None]:
        if not isinstance(row, dict):
            raise BadOption(
                f"The change file {path} holds something other than objects; give an array of objects."
            )
        rows.append(row)
    return list(zip(rows, _spans(text, rows), strict=True))


def _spans(text: str, rows: Sequence[Mapping[str, Any]]) -> list[Span]:
    """Where in a JSON text its objects stand, in their order: each is looked for behind the one before it."""
    decoder = json.JSONDecoder(parse_constant=str)
    spans: list[Span] = []
    at = 0
    for row in rows:
        while True:
            at = text.index("{", at)
            try:
                value, end = decoder.raw_decode(text, at)
            except json.JSONDecodeError:
                value, end = None, at + 1
            if value == row:
                break
            at += 1
        spans.append((at, end))
        at = end
    return spans


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        value = row.get(name)
        if value is not None and not isinstance(value, dict | list) and str(value).strip():
            return value
    return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value).strip()


def _micros(value: Any, zone: tzinfo, where: str) -> int:
    """A time as microseconds since the epoch."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return _micros_of_text(str(value).strip(), zone, where)
    if not 0 <= number < 1e20:
        raise BadOption(f"{where} has the time {value}, which is no epoch time; write ISO 8601.")
    while number >= _SECONDS_END:
        number /= 1000
    return round(number * _MICRO)


def _micros_of_text(text: str, zone: tzinfo, where: str) -> int:
    from dateutil import parser

    try:
        # A fixed default: a text without a date must fail the same way every day, not take today's.
        moments = [
            parser.parse(text, default=datetime(year, 2 + year % 2, 1 + year % 2)) for year in (2000, 2001)
        ]
    except (ValueError, OverflowError, TypeError) as error:
        raise BadOption(f"{where} has the time {text!r}, which cannot be read; write ISO 8601.") from error
    if moments[0].date() != moments[1].date():
        raise BadOption(f"{where} has the time {text!r}, which lacks a part of the date; write ISO 8601.")
    moment = moments[0] if moments[0].tzinfo else moments[0].replace(tzinfo=zone)
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * _MICRO + passed.microseconds
