"""Rows that people wrote: exported chats and tickets, whose every row is a note of its writer, and what was typed in a shell.

A chat has no severities and no programs. It is told from other logs by its form (a name, then words, row after row) and by its words:
people write sentences, with the small words that log messages leave out.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd

#: Where a record may say who speaks.
_SPEAKER = ("nick", "user", "author", "from", "sender", "username", "user_name", "name")
_SAID = re.compile(r"(?:<[ @+%&~]?(?P<nick>[^<>]{1,40})>|@?(?P<name>[^\W\d_][\w.-]{0,30}(?: [^\W\d_][\w.-]{0,30})?):)\s+(?P<text>\S.*)", re.DOTALL)
#: The time of a command in a bash history.
_STAMP = re.compile(r"#\d+\s+")
#: Small words of sentences.
_SMALL = re.compile(
    r"(?i)\b(?:i|i'm|i'll|we|we're|you|my|our|it|it's|is|are|was|be|the|this|that|there|to|of|on|in|for|since|about|and|but|so|not|no|yes|did|does|do|"
    r"can|will|just|now|again|looking|anyone|thanks|sorry|please|still|what|why|who|ich|wir|ist|das|der|die|nicht|und|je|nous|est|le|la|les|pas|et)\b"
)
#: A folder or file of what users reported.
_REPORTS = re.compile(r"(?i)(?:^|[/_.-])(?:tickets?|help-?desk|service-?desk|zendesk|complaints)(?:[/_.-]|$)")
_TROUBLE = re.compile(r"(?i)\b(?:error|fail\w*|down|slow|broken|broke|not (?:work|load|reach|respond|open)\w*|cannot|can't|unable|time[sd]? ?out|outage|crash\w*|[45]\d\d|missing|stuck|empty|blank)\b")
#: Rows that make a chat, rows a minute that people write at most, the share that must have a speaker, and that must be sentences.
ROWS, A_MINUTE, SPOKEN, SENTENCES = 2, 40, 0.8, 0.5
#: Who writes what was typed.
SHELL = "shell"
#: A sentence has so many words.
WORDS = 3


def with_people(signs: pd.DataFrame) -> pd.DataFrame:
    """The frame of signs with every row of a conversation as a note of who wrote it (`role` "note", `actor`, `who`), and reports of users.

    Each command of a shell's history stands for itself (`group`): that others like it were typed is never held against it.
    """
    typed = signs.index[signs["format"] == "shell_history"]
    if len(typed):
        signs = signs.copy()
        for at in typed:
            command = _STAMP.sub("", str(signs.at[at, "message"]), count=1)
            signs.at[at, "message"], signs.at[at, "group"] = command, "\x1f".join((str(signs.at[at, "source"]), command))
            signs.at[at, "who"] = SHELL  # the file's name names a person
    unknown = signs[(signs["rank"] == -1) & signs["service"].isna()]
    if unknown.empty:
        return signs
    signs = signs.copy()
    for name, rows in unknown.groupby("source", observed=True):
        source = str(name)
        if len(rows) < int((signs["source"] == source).sum()):
            continue  # programs write there too
        spoken = {at: _spoken(m, f) for at, m, f in zip(rows.index, rows["message"], rows["fields"], strict=True)}
        if _REPORTS.search(source):
            _report(signs, rows)
        elif _is_chat(rows, [one for one in spoken.values() if one is not None]):
            for at, one in spoken.items():
                _note(signs, at, one)
    return signs


def _spoken(message: object, fields: object) -> tuple[str, str] | None:
    """Who speaks and what they say, where a row has that form."""
    text = str(message or "")
    said = _SAID.match(text)
    if said is not None:
        return (said["nick"] or said["name"]).strip(), said["text"]
    record: Any = {}
    if isinstance(fields, str) and fields:
        try:
            record = json.loads(fields)
        except ValueError:
            return None
    key = next((key for key in _SPEAKER if isinstance(record, dict) and isinstance(record.get(key), str) and record[key]), None)
    return (record[key], text.replace(f" {key}={record[key]}", "")) if key and text else None


def _is_chat(rows: pd.DataFrame, spoken: list[tuple[str, str]]) -> bool:
    time = rows["time"].astype("int64")
    minutes = max(1.0, (int(time.max()) - int(time.min())) / 60e6)
    if len(rows) < ROWS or rows["count"].sum() / minutes > A_MINUTE or len(spoken) < SPOKEN * len(rows):
        return False
    sentences = sum(len(text.split()) >= WORDS and bool(_SMALL.search(text)) for _, text in spoken)
    return sentences >= SENTENCES * len(spoken)


def _note(signs: pd.DataFrame, at: Any, spoken: tuple[str, str] | None) -> None:
    if spoken is not None:
        for column in ("actor", "who", "service"):  # as a note that is written by logger(1) has its writer for a tag
            signs.at[at, column] = spoken[0]
        signs.at[at, "message"] = spoken[1]
        signs.at[at, "group"] = "\x1f".join((spoken[0], str(signs.at[at, "template"])))
    _mark(signs, at, "note")


def _report(signs: pd.DataFrame, rows: pd.DataFrame) -> None:
    for at, message in zip(rows.index, rows["message"], strict=True):
        if _TROUBLE.search(str(message)):
            _mark(signs, at, "report")


def _mark(signs: pd.DataFrame, at: Any, kind: str) -> None:
    for column, value in (("kind", kind), ("role", "note"), ("weight", 0.0), ("routine", False)):
        signs.at[at, column] = value
