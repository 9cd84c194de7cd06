"""Changes one value of a document's YAML front matter and leaves every other line of it as it is."""

from __future__ import annotations

import re
from typing import Any

from ..drafting.document import parse

_KEY = re.compile(r"[A-Za-z_][\w-]*:(?:\s|$)")


def with_value(text: str, key: str, value: Any) -> str:
    """The document with that key set; added at the end of the front matter when it is not there.

    A document without front matter gets one.
    """
    import yaml

    document = parse(text)
    newline = "\r\n" if text.split("\n", 1)[0].endswith("\r") else "\n"
    nested = isinstance(value, dict | list)
    written = yaml.safe_dump(
        {key: value},
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
        default_flow_style=None if nested else False,
    ).replace("\n", newline)
    if not document.front:
        return f"---{newline}{written}---{newline}{text}"
    lines = [line for line in re.split(r"(?<=\n)", document.front) if line]
    start = next((i for i, line in enumerate(lines) if i and line.startswith(f"{key}:")), None)
    if start is None:
        lines.insert(len(lines) - 1, written)
    else:
        stop = start + 1
        while stop < len(lines) - 1 and not _KEY.match(lines[stop]):
            stop += 1
        lines[start:stop] = [written]
    return "".join(lines) + text[len(document.front) :]
