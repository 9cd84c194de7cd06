"""Grok: patterns put together from named pieces, as Logstash writes them, compiled to expressions that RE2 understands.

`%{NAME:field}` stands for the pattern NAME and puts what it matches into `field`; `%{NAME:field:int}` (or `float`) makes
it a number; `(?<field>...)` is a piece without a name. The pieces here were written for RE2 from what the grok filter's
manual says of their names (elastic.co/guide/en/logstash/current/plugins-filters-grok.html): no lookaround, no atomic
groups, so matching takes time in proportion to the row whatever the row says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class PatternError(ValueError):
    """A pattern that cannot be used: one sentence that says what in it and what to try."""


#: A pattern may not grow beyond this by its pieces: pieces of pieces can double at each step.
LONGEST = 200_000
_DEEPEST = 50
_REFERENCE = re.compile(r"%\{(?P<name>\w+)(?::(?P<field>[\w.@\[\]-]+))?(?::(?P<kind>\w+))?\}")
_DEFINITION = re.compile(r"(?P<name>\w+)\s+(?P<pattern>\S.*?)\s*$")
_REPETITION = re.compile(r"\{\d*,?\d*\}")
_FIELD = re.compile(r"\[([^\[\]]+)\]")
_NAMED = re.compile(r"\(\?(?:P?<(?P<angle>[A-Za-z_@][\w.@-]*)>|'(?P<quote>[A-Za-z_]\w*)')")

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_H16 = r"[0-9A-Fa-f]{1,4}"

#: The standard names. Times are only found here: `retrolog.parsers.timestamps` reads them.
PATTERNS: Mapping[str, str] = {
    "USERNAME": r"[A-Za-z0-9._-]+",
    "USER": r"%{USERNAME}",
    "EMAILLOCALPART": r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}",
    "EMAILADDRESS": r"%{EMAILLOCALPART}@%{HOSTNAME}",
    "INT": r"[+-]?\d+",
    "BASE10NUM": r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)",
    "NUMBER": r"%{BASE10NUM}",
    "BASE16NUM": r"[+-]?(?:0x)?[0-9A-Fa-f]+",
    "BASE16FLOAT": r"[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)",
    "POSINT": r"[1-9]\d*",
    "NONNEGINT": r"\d+",
    "WORD": r"\b\w+\b",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "QUOTEDSTRING": r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)""",
    "QS": r"%{QUOTEDSTRING}",
    "UUID": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "URN": r"urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:[0-9A-Za-z()+,.:=@;$_!*'/?#%-]+",
    "CISCOMAC": r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}",
    "WINDOWSMAC": r"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}",
    "COMMONMAC": r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}",
    "MAC": r"(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})",
    # RFC 4291, section 2.2: eight groups, or fewer around one "::"; the last two may be an IPv4 address
    "IPV6": rf"(?:(?:{_H16}:){{7}}{_H16}|(?:{_H16}(?::{_H16}){{0,5}})?::(?:(?:{_H16}:){{0,5}}(?:%{{IPV4}}|{_H16}))?|"
    rf"(?:{_H16}:){{6}}%{{IPV4}})(?:%[0-9A-Za-z]+)?",
    "IPV4": rf"(?:{_OCTET}\.){{3}}{_OCTET}",
    "IP": r"(?:%{IPV6}|%{IPV4})",
    "HOSTNAME": r"\b[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,62})(?:\.[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,62}))*\.?",
    "IPORHOST": r"(?:%{IP}|%{HOSTNAME})",
    "HOSTPORT": r"%{IPORHOST}:%{POSINT}",
    "UNIXPATH": r"(?:/[^\s/?*]*)+",
    "WINPATH": r"(?:[A-Za-z]:|\\)(?:\\[^\\?*]*)+",
    "PATH": r"(?:%{UNIXPATH}|%{WINPATH})",
    "TTY": r"/dev/(?:pts/\d+|tty\w*)",
    "URIPROTO": r"[A-Za-z][A-Za-z0-9+.-]*",
    "URIHOST": r"%{IPORHOST}(?::%{POSINT})?",
    "URIPATH": r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+",
    "URIQUERY": r"[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*",
    "URIPARAM": r"\?%{URIQUERY}",
    "URIPATHPARAM": r"%{URIPATH}(?:\?%{URIQUERY})?",
    "URI": r"%{URIPROTO}://(?:%{USER}(?::[^@\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    "MONTH": r"\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?|[Aa]ug(?:ust)?|"
    r"[Ss]ep(?:tember)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?)\b",
    "MONTHNUM": r"(?:1[0-2]|0?[1-9])",
    "MONTHNUM2": r"(?:0[1-9]|1[0-2])",
    "MONTHDAY": r"(?:3[01]|[12]\d|0?[1-9])",
    "DAY": r"(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)",
    "YEAR": r"(?:\d\d){1,2}",
    "HOUR": r"(?:2[0-3]|[01]?\d)",
    "MINUTE": r"[0-5]\d",
    "SECOND": r"(?:[0-5]?\d|60)(?:[:.,]\d+)?",
    "TIME": r"%{HOUR}:%{MINUTE}(?::%{SECOND})?",
    "DATE_US": r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
    "DATE_EU": r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
    "DATE": r"(?:%{DATE_US}|%{DATE_EU})",
    "DATESTAMP": r"%{DATE}[- ]%{TIME}",
    "ISO8601_TIMEZONE": r"(?:Z|[+-]%{HOUR}(?::?%{MINUTE})?)",
    "ISO8601_SECOND": r"%{SECOND}",
    "TIMESTAMP_ISO8601": r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?",
    "TZ": r"(?:[A-Z]{3,5}|[+-]\d\d:?\d\d)",
    "DATESTAMP_RFC822": r"%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
    "DATESTAMP_RFC2822": r"%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}",
    "DATESTAMP_OTHER": r"%{DAY} %{MONTH} +%{MONTHDAY} %{TIME} %{TZ} %{YEAR}",
    "DATESTAMP_EVENTLOG": r"\d{14}",
    "HTTPDATE": r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}",
    "SYSLOGTIMESTAMP": r"%{MONTH} +%{MONTHDAY} %{TIME}",
    "PROG": r"[!-Z\\^-~]+",
    "SYSLOGPROG": r"%{PROG:program}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": r"%{IPORHOST}",
    "SYSLOGFACILITY": r"<%{NONNEGINT:facility}\.%{NONNEGINT:priority}>",
    "SYSLOGBASE": r"%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:",
    "SYSLOGLINE": r"%{SYSLOGBASE} %{GREEDYDATA:message}",
    "LOGLEVEL": r"(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|alert|"
    r"emerg(?:ency)?|panic|finest|finer|fine|config)",
    "HTTPDUSER": r"(?:%{EMAILADDRESS}|%{USER})",
    "HTTPD_COMMONLOG": r"%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] "
    r'"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" '
    r"(?:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes})",
    "HTTPD_COMBINEDLOG": r"%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}",
    "COMMONAPACHELOG": r"%{HTTPD_COMMONLOG}",
    "COMBINEDAPACHELOG": r"%{HTTPD_COMBINEDLOG}",
    "JAVACLASS": r"(?:[A-Za-z$_][A-Za-z$_0-9]*\.)*[A-Za-z$_][A-Za-z$_0-9]*",
    "JAVAFILE": r"[A-Za-z$_0-9. -]+",
    "JAVAMETHOD": r"(?:<(?:cl)?init>|[A-Za-z$_][A-Za-z$_0-9]*)",
    "JAVATHREAD": r"[A-Za-z]{2}-Processor\d+",
    "JAVALOGMESSAGE": r".*",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Portable:
    """A pattern that RE2 understands: its groups are `g0`, `g1` ..., `names` says what each of them is for, in their order."""

    text: str
    names: tuple[str, ...]


def read_definitions(lines: Iterable[str]) -> dict[str, str]:
    """The patterns of a Logstash pattern file: on each line a name, a space and the pattern; `#` begins a comment.

    Raises PatternError for a line that is neither.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _DEFINITION.match(line)
        if match is None:
            raise PatternError(f"line {number} is no grok pattern; write NAME, a space and the pattern")
        found[match["name"]] = match["pattern"]
    return found


def expand(pattern: str, own: Mapping[str, str] | None = None) -> tuple[str, dict[str, str]]:
    """The pattern with every `%{NAME:field}` replaced, and the number type (`int`, `float`) of the fields that name one.

    `own` are further patterns by name; they are preferred to the standard ones, except where only the standard one of
    that name can be compiled for RE2. Raises PatternError for an unknown name and for pieces that hold themselves.
    """
    kinds: dict[str, str] = {}
    return _expand(pattern, own or {}, kinds, ()), kinds


def _expand(pattern: str, own: Mapping[str, str], kinds: dict[str, str], inside: tuple[str, ...]) -> str:
    out: list[str] = []
    end, size = 0, 0
    for match in _REFERENCE.finditer(pattern):
        name, field = match["name"], match["field"]
        if name in inside:
            raise PatternError(f"the grok pattern {name} holds itself; take %{{{name}}} out of its definition")
        if len(inside) >= _DEEPEST:
            raise PatternError(f"grok patterns are nested deeper than {_DEEPEST} at {name}; write some of them out")
        piece = _expand(_piece(name, own), own, kinds, (*inside, name))
        if field is not None:
            field = plain(field)
            if match["kind"]:
                kinds[field] = match["kind"]
        out += [pattern[end : match.start()], f"(?P<{field}>{piece})" if field else f"(?:{piece})"]
        size += len(out[-1]) + len(out[-2])
        if size > LONGEST:
            raise PatternError(f"the pattern grows beyond {LONGEST:,} characters; use fewer pieces")
        end = match.end()
    return "".join([*out, pattern[end:]])


def _piece(name: str, own: Mapping[str, str]) -> str:
    if name in own:
        try:
            portable(_REFERENCE.sub("x", own[name]))
        except PatternError:
            if name not in PATTERNS:
                raise
        else:
            return own[name]
    if name not in PATTERNS:
        import difflib

        near = difflib.get_close_matches(name, [*PATTERNS, *own], 1)
        hint = f"did you mean {near[0]}?" if near else "define it in a pattern file"
        raise PatternError(f"there is no grok pattern {name}; {hint}")
    return PATTERNS[name]


def plain(field: str) -> str:
    """A field's name without brackets: `[http][request][method]` is `http.request.method`."""
    parts = _FIELD.findall(field)
    return ".".join(parts) if parts else field


def portable(pattern: str) -> Portable:
    """The pattern for RE2: groups numbered, groups without a name not captured, `\\h` and atomic or possessive forms rewritten.

    Atomic groups and possessive repeats become ordinary ones: RE2 never backtracks, which is what they are for. Raises
    PatternError for lookaround and backreferences, which no linear matcher can have (github.com/google/re2/wiki/Syntax).
    """
    out: list[str] = []
    names: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            out.append(_escape(pattern[at : at + 2]))
            at += 2
        elif char == "[":
            end = _class_end(pattern, at)
            out.append(_class(pattern[at:end]))
            at = end
        elif char == "(":
            text, at = _group(pattern, at, names)
            out.append(text)
        elif char in "*+?" or (char == "{" and _REPETITION.match(pattern, at)):
            end = at + 1 if char != "{" else pattern.index("}", at) + 1
            out.append(pattern[at:end])
            at = end + (pattern[end : end + 1] == "+")  # a possessive repeat
        else:
            out.append(char)
            at += 1
    return Portable("".join(out), tuple(names))


def pieces(text: str) -> list[str]:
    """The parts that a `portable` text is made of one after another, each with its repetition; one part where it has alternatives."""
    out: list[str] = []
    at, depth, start = 0, 0, 0
    while at < len(text):
        char = text[at]
        if char == "|" and not depth:
            return [text]
        depth += (char == "(") - (char == ")")
        at = at + 2 if char == "\\" else _class_end(text, at) if char == "[" else at + 1
        if depth:
            continue
        while at < len(text) and (text[at] in "*+?" or (text[at] == "{" and _REPETITION.match(text, at))):
            at = at + 1 if text[at] != "{" else text.index("}", at) + 1
        part, start = text[start:at], at
        inside = pieces(part[3:-1]) if part.startswith("(?:") and part.endswith(")") else []
        out += inside if len(inside) > 1 else [part]
    return out


def _escape(pair: str) -> str:
    letter = pair[1:]
    if not letter:
        raise PatternError("it ends in a single backslash; write two for a backslash itself")
    if letter in "123456789kKGX":
        raise PatternError(f"it has {pair}, which RE2 does not know; write the piece out")
    return {"h": "[0-9A-Fa-f]", "H": "[^0-9A-Fa-f]", "Z": r"\z"}.get(letter, pair)


def _class_end(pattern: str, at: int) -> int:
    """Where the character class that begins at `at` ends."""
    end = at + 1
    if pattern[end : end + 1] == "^":
        end += 1
    if pattern[end : end + 1] == "]":
        end += 1
    while end < len(pattern) and pattern[end] != "]":
        if pattern.startswith("[:", end) and ":]" in pattern[end:]:
            end = pattern.index(":]", end) + 2
        else:
            end += 2 if pattern[end] == "\\" else 1
    if end >= len(pattern):
        raise PatternError("it has a [ without its ]; write \\[ for a bracket itself")
    return end + 1


def _class(text: str) -> str:
    body = re.sub(r"\\(.)", lambda m: "0-9A-Fa-f" if m[1] == "h" else m[0], text[1:-1], flags=re.DOTALL)
    if body.startswith(("]", "^]")):
        body = body.replace("]", r"\]", 1)
    return f"[{body}]"


def _group(pattern: str, at: int, names: list[str]) -> tuple[str, int]:
    """The opening of a group for RE2, and where its inside begins."""
    named = _NAMED.match(pattern, at)
    if named is not None:
        names.append(named["angle"] or named["quote"])
        return f"(?P<g{len(names) - 1}>", named.end()
    if pattern.startswith(("(?=", "(?!", "(?<=", "(?<!"), at):
        raise PatternError(f"it looks around with {pattern[at : at + 4]!r}, which RE2 cannot; match the neighbours instead")
    if pattern.startswith(("(?P=", "(?P>", "(?(", "(?&", "(?R"), at):
        raise PatternError(f"it has {pattern[at : at + 4]!r}, which RE2 does not know; write the piece out")
    if pattern.startswith("(?#", at):
        end = pattern.find(")", at)
        return "", len(pattern) if end < 0 else end + 1
    if pattern.startswith("(?>", at):
        return "(?:", at + 3
    if pattern.startswith("(?", at):
        return "(?", at + 2
    return "(?:", at + 1
