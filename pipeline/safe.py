"""Makes text from logs inert: whatever a log line says, it stays text in every output.

A log line may hold HTML, a Markdown link, a terminal sequence, a spreadsheet formula or characters that reorder what is
read. Nothing here decides what a line means; it only makes sure that a line cannot act.
"""

from __future__ import annotations

import re

# Colours (SGR) carry no words, so they are dropped; every other control becomes visible as an escape.
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
# C0 and C1 controls, soft hyphen, Arabic letter mark, zero-width and bidirectional controls (UAX 9), line and
# paragraph separators, invisible operators, variation of byte-order mark, interlinear marks, lone surrogates, tags.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# What a word may hold and still mean nothing to any Markdown flavour: letters, digits and this punctuation.
_PLAIN = re.compile(r"""[^\W_]*(?:[.,:;'"()/%=+\-–—…?!→×°§€·^]+[^\W_]*)*""")
# A link to some renderers although nothing marks it as one: a scheme, a www host, a name with a top level domain.
_LINKED = re.compile(
    r"://|^\W*www\.|[^\W\d_]\.[^\W\d_]{2}|^\W*(?:mailto|tel|xmpp|javascript|data|vbscript):", re.IGNORECASE
)
# At the start of a paragraph these make a list, a heading, a rule or a heading's underline.
_OPENER = re.compile(r"(?:[-+=]+|\d{1,9}[.)])")
_FORMULA = re.compile(r"^[\s'\"]*[=+\-@|%\t\r]")


def _shown(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": " "}[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(text: str) -> str:
    r"""One line of text in which each control, invisible or reordering character is shown as an escape (``\x1b``)."""
    return _UNSEEN.sub(_shown, _COLOUR.sub("", text))


def clean_lines(text: str) -> str:
    """Text cleaned line by line: its line feeds stay, a carriage return before one is dropped."""
    return "\n".join(clean(line.removesuffix("\r")) for line in text.split("\n"))


def code(text: str, *, cell: bool = False) -> str:
    """Text as a Markdown code span, exact but for `clean`; `cell` for use inside a table (GFM, 4.10 and 6.1)."""
    text = clean(text) or " "
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    # A renderer takes one space off both ends, unless there is nothing else (CommonMark, 6.1).
    padded = f" {text} " if text.strip(" ") and (text[0] in "` " or text[-1] in "` ") else text
    if cell:
        padded = padded.replace("|", "\\|")
    return f"{fence}{padded}{fence}"


def _active(word: str, first: bool) -> bool:
    return (
        not _PLAIN.fullmatch(word) or bool(_LINKED.search(word)) or (first and bool(_OPENER.fullmatch(word)))
    )


def prose(text: str, *, cell: bool = False) -> str:
    """Text as Markdown prose: words that some renderer could act on become code spans, all others stay as they are.

    Neighbouring active words share one span, so `[a](b) <c>` reads as one quotation. No backslashes are needed, so the
    source reads as well as the rendered page.
    """
    pieces: list[tuple[bool, str]] = []
    for index, word in enumerate(clean(text).split()):
        active = _active(word, index == 0)
        if pieces and active and pieces[-1][0] and pieces[-1][1][-1] not in ",;:":
            pieces[-1] = (True, f"{pieces[-1][1]} {word}")
        else:
            pieces.append((active, word))
    return " ".join(_spanned(piece, cell) if active else piece for active, piece in pieces)


def _spanned(piece: str, cell: bool) -> str:
    """A code span around the piece; brackets around it and the sentence's punctuation after it are left outside."""
    body = piece.rstrip(".,:;")
    # a bracket that was opened before the piece closes after it
    while body.endswith(")") and body.count(")") > body.count("("):
        body = body[:-1].rstrip(".,:;")
    closing = piece[len(body) :]
    if not body:
        return code(piece, cell=cell)
    if body[0] == "(" and body[-1] == ")" and len(body) > 2 and "(" not in body[1:-1]:
        return f"({code(body[1:-1], cell=cell)}){closing}"
    opening = "(" if body[0] == "(" and ")" not in body and len(body) > 1 else ""
    return f"{opening}{code(body.removeprefix(opening), cell=cell)}{closing}"


def fenced(text: str, indent: str = "  ") -> str:
    """Text as an indented fenced code block, so that no line of it can begin at the left edge and close the block."""
    body = clean_lines(text)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join(f"{indent}{line}".rstrip() for line in (f"{fence}text", *body.split("\n"), fence))


def spreadsheet(text: str) -> str:
    """Text for a CSV cell that no spreadsheet takes for a formula (OWASP, CSV injection): it gets a leading apostrophe."""
    text = clean(text)
    return f"'{text}" if _FORMULA.match(text) else text


def terminal(text: str) -> str:
    """Text that can be printed to a terminal: the same as `clean`, named for the place where it is used."""
    return clean(text)


def in_comment(text: str) -> str:
    r"""JSON text that can stand inside an HTML comment: `-`, `<`, `>` and `&` as ``\u`` escapes within its strings."""
    return re.sub(r"[-<>&]", lambda match: f"\\u{ord(match.group()):04x}", text)
