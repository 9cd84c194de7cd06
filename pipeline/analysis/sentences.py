"""The sentences of the timeline: what an event says, in the words of its log, with who said it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ..counting.gist import telling
from ..wording import number, plural

#: Characters of a message that a sentence quotes.
LENGTH = 180
_SPACE = re.compile(r"\s+")
_NOISE = re.compile(r"\s*\b(?:request_id|trace_id|span_id|rid|correlation_id)=\S+")
#: A stamp, level, process and place in the source that a program wrote into what another one stamped.
_INNER = re.compile(
    r"^(?:\[?\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?Z| ?[+-]\d\d:?\d\d)?\]?\s+)?(?:\[\w+\] \d+#\d+: (?:\*\d+ )?)?"
    r"(?:[\w./-]+\.(?:go|py|cc?|cpp|rs|java|[jt]s|rb):\d+[:\]]? )?(?:p=\d+ u=\S+ n=\S+ (?:\w+)?\| )?"
)
#: A row of a record that holds nothing but a time, and a rule drawn behind a heading.
_STAMP_ROW = re.compile(r"[\w -]{2,20}[:=] ?\d{4}-\d\d-\d\d[ T]+\d\d:\d\d(?::\d\d)?\s*")
_RULE = re.compile(r"\s*(?:\*{4,}|={4,}|-{4,}|#{4,}|~{4,})\s*$")
#: Rows of a stack trace that are not indented all the same.
_FRAME = re.compile(r"#\d+ |thrown in ")
#: What a runtime wrote first of all when nothing caught: below it stand goroutines, notes, and the version of the runtime.
_THROWN = re.compile(r"panic: |fatal error: |Exception in thread |Unhandled |Uncaught |terminate called |[A-Z]\w*Error: ")
#: Rust tells what it was in the row below.
_PANICKED = re.compile(r"thread '.*' (?:\(\d+\) )?panicked at .*:$")
#: sudo(8), "Log format": user, then terminal, working directory, target user and command.
_SUDO = re.compile(r"\s*(?P<who>\S+) : (?:.*? ; )?USER=(?P<as>\S+) ; (?:.*? ; )?COMMAND=(?P<command>.*)", re.DOTALL)


def said(message: str, length: int = LENGTH) -> str:
    """The message on one line: its first row and, for a stack trace, the exception its last row names.

    Of a command run by sudo it is who ran what, without the terminal and the folder.
    """
    sudo = _SUDO.match(str(message))
    if sudo:
        return _short(f"{sudo['who']} ran {_SPACE.sub(' ', sudo['command']).strip()} as {sudo['as']}", length)
    rows = [r for r in _unescaped(_record(str(message))).split("\n") if r.strip()]
    if not rows:
        return "(an empty message)"
    rows = [r for r in rows if not _STAMP_ROW.fullmatch(r)] or rows
    text = _RULE.sub("", _INNER.sub("", rows[0])) or rows[0]
    if len(rows) > 1:
        closing = _exception(rows)
        if closing is not rows[0]:
            text = f"{_short(text, length // 2)} … {closing}"
    return _short(_NOISE.sub("", _SPACE.sub(" ", text)).strip(), length)


def _exception(rows: Sequence[str]) -> str:
    """The row of a trace that names the exception: what was thrown, else the last row that is no frame; the first one if there is none."""
    python = any(row.startswith("Traceback ") for row in rows)  # which tells last what was thrown last
    for row, below in zip(rows[1:], [*rows[2:], ""], strict=True) if not python else ():
        if _PANICKED.match(row) and below:
            return below
        if _THROWN.match(row):
            return row
    return next((r for r in reversed(rows) if not r[:1].isspace() and not _FRAME.match(r)), rows[0])


def _unescaped(message: str) -> str:
    """A message of several rows that a writer of single lines escaped: rsyslog's `#012` (its octal control characters), or `\\n` before a stack."""
    if "#012" in message:
        return message.replace("#012", "\n").replace("#011", "\t")
    if "\n" not in message and ("\\nTraceback " in message or "\\n\\tat " in message or "\\n    at " in message):
        return message.replace("\\n", "\n").replace("\\t", "\t")
    return message


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


#: Where the last part of a long message tells the cause: libraries put the innermost error last.
_CAUSE = re.compile(r"(?i)caused by|error\b|exception\b|fail(?:ed|ure)|refused|expired|denied|timed? ?out|exceed|no such|not found|does not exist|no space|reset by|unreachable|too many|invalid")


def _short(text: str, length: int) -> str:
    """The text, cut to this length: at its end, or in the middle where its end tells a cause."""
    if len(text) <= length:
        return text
    end = length // 3
    tail = text[-end:]
    if len(text) <= 12 * length and (cause := list(_CAUSE.finditer(tail))) and not _CAUSE.search(text[: length - end]):
        start = tail.rfind(" ", 0, cause[0].start() + 1) + 1 if len(cause) else 0
        return f"{text[: length - end - 3].rstrip()} … {tail[start:]}"
    return text[: length - 1].rstrip() + "…"


def who(row: Mapping[str, Any] | pd.Series) -> str:
    """The writer: service and host as far as they are known, else the log's name."""
    host, name = _known(row, "host"), str(row["who"])
    return f"{name} on {host}" if host else name


def sentence(row: Mapping[str, Any] | pd.Series) -> str:
    """`deploy on web-1: starting deploy of shop 2026.11.23-1`."""
    return f"{who(row)}: {said(row['message'])}"


#: Messages of one pattern that are compared, and the part of their words that may vary.
_COMPARED, _VARIED = 200, 0.5


def told(rows: pd.DataFrame) -> str:
    """The sentence for several rows of one pattern, quoting the first; a word that varies over them is an ellipsis (`tenant=…`)."""
    first = rows.iloc[0]
    texts = [said(message).split(" ") for message in rows["message"].head(_COMPARED).unique()]
    words = texts[0]
    alike = [text for text in texts if len(text) == len(words)]
    varied = {place for text in alike for place, word in enumerate(text) if word != words[place]}
    if not varied or len(varied) > _VARIED * len(words):
        return sentence(first)
    return f"{who(first)}: {' '.join(_blank(word) if place in varied else word for place, word in enumerate(words))}"


def _blank(word: str) -> str:
    """A word whose value varies: its key stays, and the punctuation at its end."""
    key = word.partition("=")[0] + "=" if "=" in word and word[0].isalpha() else ""
    return f"{key}…{word[len(word.rstrip(':,;.')):]}" if word[-1:] in ":,;." else f"{key}…"


def request(row: Mapping[str, Any], which: str, prefix: str = "") -> str:
    """`First failed request: GET /product/2 was answered 500`."""
    method, path, status = row[prefix + "method"], row[prefix + "path"], row[prefix + "status"]
    asked = f"{method} {path}" if method else str(path)
    answer = "was closed by the client before an answer (499)" if status == 499 else "was not answered" if status in (0, 444) else f"was answered {status}"
    what = "refused" if 400 <= (status or 0) < 499 else "failed"
    return f"{which} {what} request: {_short(asked, 120)} {answer}"


def share(failed: int, requests: int, what: str) -> str:
    """`868 of 884 requests to /product/{id} failed`."""
    return f"{number(failed)} of {plural(requests, 'request')}{' ' + what if what else ''} failed"


def _known(row: Mapping[str, Any] | pd.Series, name: str) -> str | None:
    value = row[name]
    return None if value is None or pd.isna(value) or value == "" else str(value)
