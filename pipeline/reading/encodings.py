"""Tells text from binary data, and which Unicode encoding a text is in, from its first bytes."""

from __future__ import annotations

import codecs
import re

#: Bytes of head that the guesses below want to see.
HEAD = 8192

_BOMS = (  # the longer ones first: UTF-16's mark is the beginning of UTF-32's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def encoding_of(head: bytes) -> tuple[str, int]:
    """Name the encoding of a text and the bytes its byte order mark takes: `("utf-8", 3)`, `("utf-16-le", 0)` ...

    Without a mark the places of NUL bytes decide: digits, spaces and line ends of any log are one byte wide in
    UTF-8 and NUL-padded in the others. Everything else is taken as UTF-8, of which ASCII is a part.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name, len(bom)
    if b"\0" not in head:
        return "utf-8", 0
    quads = len(head) // 4
    if quads >= 2:
        zero = [head[at : quads * 4 : 4].count(0) / quads for at in range(4)]
        if zero[3] > 0.98 and zero[2] > 0.9 and zero[0] < 0.1:
            return "utf-32-le", 0
        if zero[0] > 0.98 and zero[1] > 0.9 and zero[3] < 0.1:
            return "utf-32-be", 0
    pairs = len(head) // 2
    if pairs >= 2:
        low, high = head[0 : pairs * 2 : 2].count(0) / pairs, head[1 : pairs * 2 : 2].count(0) / pairs
        if high > 0.3 and low < 0.05:
            return "utf-16-le", 0
        if low > 0.3 and high < 0.05:
            return "utf-16-be", 0
    return "utf-8", 0


#: Magic bytes of files that turn up among logs: what it is, and what to do about it.
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"SQLite format 3\0", "an SQLite database", "export its log table as CSV or JSON lines"),
    (b"\x7fELF", "a program (ELF)", ""),
    (b"MZ", "a Windows program", ""),
    (b"\xcf\xfa\xed\xfe", "a program (Mach-O)", ""),
    (b"\xca\xfe\xba\xbe", "a Java class or Mach-O program", ""),
    (b"\x89PNG\r\n", "an image (PNG)", ""),
    (b"\xff\xd8\xff", "an image (JPEG)", ""),
    (b"GIF8", "an image (GIF)", ""),
    (b"%PDF-", "a PDF document", ""),
    (b"ElfFile\0", "a Windows event log (evtx)", "export it with `wevtutil qe {name} /lf:true /f:XML`"),
    (b"ASL DB\0", "an Apple system log (binary ASL)", "export it with `syslog -f {name} -F raw`"),
    (b"EBFGONED", "a OneDrive log (ODL)", "its rows can be had with a forensic ODL reader"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture", "export it with `tcpdump -tttt -r {name}`"),
    (b"\xa1\xb2\xc3\xd4", "a packet capture", "export it with `tcpdump -tttt -r {name}`"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture", "export it with `tcpdump -tttt -r {name}`"),
    (b"PAR1", "a Parquet file", "export it as JSON lines"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first with `unrar x {name}`"),
    (b"\x1f\x9d\x89", "a file packed by `compress -b 9`", "unpack it first with `uncompress {name}`"),
    (b"\x89LZO\0", "a file packed by lzop", "unpack it first with `lzop -d {name}`"),
    (b"\xed\xab\xee\xdb", "an RPM package", ""),
    (b"!<arch>\n", "a Unix archive (ar)", ""),
    (b"b0VIM ", "a Vim swap file", ""),
    (b"Obj\x01", "an Avro file", "export it as JSON lines"),
    (b"\0\0\0\1Bud1", "a macOS folder file", ""),
)
_HOLE = re.compile(rb"\0{16,}")  # left where a log was truncated while its writer kept the old offset
#: Bytes that a text in an 8-bit encoding is made of, tabs, line ends, backspaces and colour codes included; and NUL.
_TEXTUAL = bytes({0, *b"\b\t\n\v\f\r\x1b", *range(0x20, 0x7F), *range(0x80, 0x100)})


def binary_kind(head: bytes, name: str) -> str | None:
    """Say what a file that is no text looks like and how to get its log out, or None when it may be a text.

    A text may hold stray NULs, colour codes and bytes of any 8-bit encoding; what it does not hold is many control
    characters together with bytes that are no UTF-8, or NULs all over.
    """
    for magic, what, advice in _KINDS:
        if head.startswith(magic) and _is_binary(head, magic):
            return f"{what}; {advice.format(name=name)}" if advice else what
    if encoding_of(head)[0] != "utf-8":
        return None
    body, holes = _HOLE.subn(b"", head) if b"\0" in head else (head, 0)
    if not body.strip(b"\0"):
        return "nothing but NUL bytes" if len(head) >= HEAD else None
    if holes and head.count(0) > 0.3 * len(head) and (holes > 2 or b"\n" not in body):
        return "binary data (records padded with NUL bytes)"  # wtmp, lastlog and other tables
    if len(body) < 32:  # too little to judge by
        return None
    if body.count(0) > 0.3 * len(body):
        return "binary data (mostly NUL bytes)"
    controls = len(_controls(body))
    if controls > 0.03 * len(body):
        strange = controls + body.decode("utf-8", "replace").count("\ufffd")
        if strange > 0.25 * len(body):
            return "binary data"
    return None


def _is_binary(head: bytes, magic: bytes) -> bool:
    """A magic made of letters may begin a log line ("MZ", "LZIP", "GIF8"): then the rest must look binary too."""
    if not magic.isalnum():
        return True
    return bool(_controls(head)) or b"\0" in head


def _controls(data: bytes) -> bytes:
    """The bytes that no text holds."""
    return data.translate(None, _TEXTUAL)
