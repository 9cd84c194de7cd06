"""The sentences of the timeline: what an event says, in the words of its log, with who said it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from .gist import telling
from .wording import number, plural

#: Characters of a message that a sentence quotes.
LENGTH = 180
_SPACE = re.compile(r"\s+")
_NOISE = re.compile(r"\s*\b(?:request_id|trace_id|span_id|rid|correlation_id)=\S+")
#: sudo(8), "Log format": user, then terminal, working directory, target user and command.
_SUDO = re.compile(r"\s*(?P<who>\S+) : (?:.*? ; )?USER=(?P<as>\S+) ; (?:.*? ; )?COMMAND=(?P<command>.*)", re.DOTALL)


def said(message: str, length: int = LENGTH) -> str:
    """The message on one line: its first row and, for a stack trace, the exception its last row names.

    Of a command run by sudo it is who ran what, without the terminal and the folder.
    """
    sudo = _SUDO.match(str(message))
    if sudo:
        return _short(f"{sudo['who']} ran {_SPACE.sub(' ', sudo['command']).strip()} as {sudo['as']}", length)
    rows = [r for r in _record(str(message)).split("\n") if r.strip()]
    if not rows:
        return "(an empty message)"
    text = rows[0]
    if len(rows) > 1:
        closing = next((r for r in reversed(rows) if not r[:1].isspace()), rows[0])
        if closing is not rows[0]:
            text = f"{_short(text, length // 2)} … {closing}"
    return _short(_NOISE.sub("", _SPACE.sub(" ", text)).strip(), length)


def _record(message: str) -> str:
    """A message that is itself a JSON object, told as its words and then its fields."""
    if not message.startswith("{"):
        return message
    head, feed, rest = message.partition("\n")
    try:
        record, _end = json.JSONDecoder().raw_decode(head)
    except ValueError:
        return message
    if not isinstance(record, dict):
        return message
    words = [str(record[k]) for k in ("message", "msg", "event", "summary", "reason", "error") if isinstance(record.get(k), str)]
    fields = telling({k: v for k, v in record.items() if v not in words})
    return " ".join([*words, *(f"{k}={v}" for k, v in fields.items())]) + feed + rest if words or fields else message


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def who(row: Mapping[str, Any] | pd.Series) -> str:
    """The writer: service and host as far as they are known, else the log's name."""
    host, name = _known(row, "host"), str(row["who"])
    return f"{name} on {host}" if host else name


def sentence(row: Mapping[str, Any] | pd.Series) -> str:
    """`deploy on web-1: starting deploy of shop 2026.11.23-1`."""
    return f"{who(row)}: {said(row['message'])}"


def request(row: Mapping[str, Any], which: str, prefix: str = "") -> str:
    """`First failed request: GET /product/2 was answered 500`."""
    method, path, status = row[prefix + "method"], row[prefix + "path"], row[prefix + "status"]
    asked = f"{method} {path}" if method else str(path)
    answer = "was closed by the client before an answer (499)" if status == 499 else "was not answered" if status in (0, 444) else f"was answered {status}"
    return f"{which} failed request: {_short(asked, 120)} {answer}"


def share(failed: int, requests: int, what: str) -> str:
    """`868 of 884 requests to /product/{id} failed`."""
    return f"{number(failed)} of {plural(requests, 'request')}{' ' + what if what else ''} failed"


def _known(row: Mapping[str, Any] | pd.Series, name: str) -> str | None:
    value = row[name]
    return None if value is None or pd.isna(value) or value == "" else str(value)
