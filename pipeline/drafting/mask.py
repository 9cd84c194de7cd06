"""Masks secrets and personal data in whatever goes into a document; the same value always gets the same pseudonym.

The rules are about how logs write such things in general: keys that name a secret, forms of well-known tokens, places in
a line where a person's name or a client's address stands. Hosts, services, versions and paths stay readable.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ..analysis.evidence import quotations
from ..findings import Candidate, Evidence, Findings, Incident
from .persons import ROLES, any_of, given_away, is_software, programs_in

HIDDEN = "[masked]"
# What was masked before is left as it is, so that masking twice changes nothing.
_PSEUDONYM = re.compile(r"(person|client|email|phone)-(\d+)")
_REPLACED = re.compile(rf"((?:person|client|email|phone)-\d+|{re.escape(HIDDEN)})")

_SECRET_WORD = (
    r"pass(?:word|wd|phrase|code)?|pwd|secrets?|api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|"
    r"signing[_-]?key|encryption[_-]?key|account[_-]?key|auth[_-]?key|tokens?|jwt|credentials?|session[_-]?(?:id|key|token)?|"
    r"sess[_-]?id|phpsessid|jsessionid|connect\.sid|sid|csrf(?:[_-]?token)?|xsrf(?:[_-]?token)?|otp|mfa[_-]?code|pin|cvv|"
    r"signature|sig|authorization|auth|cookie|set-cookie"
)
# Values that are plainly no secret although their key may hold one: counts, words of state, placeholders.
_HARMLESS = re.compile(
    r"(?:\d{1,5}|true|false|yes|no|on|off|none|null|nil|ok|failed|failure|error|invalid|expired|missing|required|"
    r"empty|unknown|disabled|enabled|changed|incorrect|denied|accepted|rejected|not|is|was|has|for|from|"
    r"opened|closed|started|ended|\*+|x{3,}|\[masked.*|\[?redacted\]?|<[^>]*>|-)",
    re.IGNORECASE,
)
_KEYED = re.compile(
    rf"(?P<key>(?<![A-Za-z])(?:[\w.-]*[_.-])?(?i:{_SECRET_WORD})|\b[A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|APIKEY)|\b(?:[a-z]+(?:Password|Token|Secret|SessionId)|(?:api|access|secret|private|signing|encryption|auth|account)Key))"
    r"(?P<between>\\?[\"']?(?:\s*=(?!>)\s*|\s*:\s*|%3[dD]|\s*=>\s*))"
    r"(?P<value>\\\"(?:[^\"\\]|\\(?!\"))*\\\"|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s\"'&;,)}\]]+)"
)
_QUERY = re.compile(
    r"(?P<lead>[?&;](?i:key|code|state|auth|token|sig|signature|email|mail|phone|ssn|iban|password|pass|pwd|session|sid|"
    r"access_token|id_token|refresh_token|client_secret|hash|nonce|x-amz-[a-z-]+|x-goog-[a-z-]+)=)(?P<value>[^&;\s\"'<>#]+)"
)
_PLAIN_SECRETS = (
    # Authorization headers and bare schemes (RFC 7235); a cookie header runs to the end of its quoted part.
    (re.compile(r"(?i)\b((?:proxy-)?authorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:[a-z]+\s+)?)[^\s\"'\\,;]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic|negotiate|digest)(\s+)(?=[\w+/=.~-]*[\d=+/_.~-])[\w+/=.~-]{8,}"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?i)\b((?:set-)?cookie\\?[\"']?\s*[:=]\s*\\?[\"']?)[^\"'\\\r\n|]+"), rf"\1{HIDDEN}"),
    # user:password@ in any URL (RFC 3986, 3.2.1).
    (re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@\"'<>]*:[^\s@\"'<>]*@(?=[^\s@]+)"), rf"\1{HIDDEN}@"),
    # Options of a command line that take a secret as the next word, and the glued form of mysql(1).
    (re.compile(r"(\s--?(?:[\w-]*(?:password|passwd|passphrase|secret|token|api-?key)|pass)[ =])[^\s;&|\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^|;]*?\s-p)[^\s;&|]+"), rf"\1{HIDDEN}"),
    # Well-known forms: JSON web tokens, cloud and forge tokens, chat tokens, payment keys, PEM.
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?"), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), HIDDEN),
    (re.compile(r"\b(?:gh[opusr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,})"), HIDDEN),
    (re.compile(r"\bxox[abeoprs]-[\w-]{10,}|\bhooks\.slack\.com/services/\S+"), HIDDEN),
    (re.compile(r"\b(?:sk|pk|rk)[_-](?:live|test|proj|ant)[_-][\w-]{10,}|\bsk-[A-Za-z0-9]{24,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z0-9]{24,}"), HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), HIDDEN),
)  # fmt: skip
# A long run of letters of both cases and digits is a key of some kind; plain hex is a digest or an id and stays.
_RANDOM = re.compile(
    r"(?<![\w/+.-])(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])(?=[\w+/-]*\d)[A-Za-z0-9_+-]{32,}={0,2}(?![\w/.-])"
)
_CARD = re.compile(r"(?<![\w.-])(?:\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|[3456]\d{14,15})(?![\w.-])")
_PHONE = re.compile(r"(?<![\w+])\+(?:\d[ ()-]?){8,14}\d(?![\w:])")
_MAIL = re.compile(
    r"(?<![\w.%+-])(?P<who>[\w.%+'-]+)(?:@|%40)(?P<domain>(?:[\w-]+\.)+(?P<top>[^\W\d_]{2,24}))(?![\w-])"
)
# systemd's template units look like addresses (systemd.unit(5)).
_UNITS = {
    "service",
    "socket",
    "timer",
    "mount",
    "target",
    "slice",
    "scope",
    "device",
    "path",
    "swap",
    "automount",
}
_IPV4 = re.compile(r"(?<![\w.-])(?<!\w/)(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])"
)
# What stands before an address that is a server's: it is infrastructure, and readers need it.
_SERVER = re.compile(
    r"(?i)(?:upstream|server|backend|host|dst|dest|destination|listen(?:ing)?(?: on)?|bind|bound to|nameserver|resolver|"
    r"gateway|peer|primary|replica|master|slave|node|broker|connect(?:ing|ed)? to|contacted time server|laddr|local)"
    r"\W{0,4}(?:[a-z]+://)?(?:[^\s/@]*@)?$"
)
_CLIENT = re.compile(
    r"(?i)(?:client|from|rhost|src|remote(?:_addr|_ip|_host)?|x-forwarded-for|x-real-ip|forwarded_for|client_?ip|"
    r"ip_?addr(?:ess)?|peer_?ip|user_?ip|raddr|source_?ip)\W{0,4}(?:[0-9a-f.:]+, ?)*$"
)
_VERSION = re.compile(r"(?i)(?:version|release|v|ver|build|update|upgrade[d]?(?: to)?)[ .:=-]?$")
# Field names that hold no log text, or text that must stay exact to find the line again.
_EXACT = {
    "file", "source", "digest", "zone", "format", "container", "kind", "signal", "severity", "year", "first", "last",
    "fates", "method", "accounting",
}  # fmt: skip


class Masker:
    """Replaces secrets and personal data in texts; one instance a document, so that pseudonyms agree throughout.

    `keep` names what is never a person (hosts and services of the incident). With `enabled` false `text` gives
    everything back as it was.
    """

    def __init__(self, enabled: bool = True, keep: Iterable[str] = ()) -> None:
        self.enabled = enabled
        self._keep = {word.casefold() for word in keep}
        self._given: dict[str, dict[str, str]] = {}
        self._people: dict[str, str] = {}
        self._anywhere: re.Pattern[str] | None = None
        self._servers: set[str] = set()  # addresses that some line calls a server
        self._local: set[str] = set()  # names that are masked only in texts that give them away
        self._taken: dict[str, int] = {}  # the highest number given, by kind of pseudonym

    def resume(self, document: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Goes on where the masker of a document left off, so that the same value gets the pseudonym it has there.

        `pairs` are texts as logged and as the document masks them. No number that the document holds is given anew.
        """
        for kind, number in _PSEUDONYM.findall(document):
            self._taken[kind] = max(self._taken.get(kind, 0), int(number))
        for raw, shown in pairs:
            for name, value in _aligned(raw, shown):
                self._remember(name, value)

    def _remember(self, name: str, value: str) -> None:
        kind = name.split("-")[0]
        if name == value:
            return
        if kind == "person":
            self._people.setdefault(value.casefold(), name)
            self._anywhere = None
        else:
            key = re.sub(r"\D", "", value) if kind == "phone" else value.casefold().replace("%40", "@")
            self._given.setdefault(kind, {}).setdefault(key, name)

    def original(self, text: str) -> str:
        """The text with each pseudonym that is known here replaced by what it stands for; for searching in logs."""
        known = {
            name: value for given in (self._people, *self._given.values()) for value, name in given.items()
        }
        return _PSEUDONYM.sub(lambda match: known.get(match.group(), match.group()), text)

    def person(self, name: str) -> str:
        """The pseudonym of a person's name, or the name itself where it is a role, a host or a service."""
        key = name.casefold()
        if key in self._keep or is_software(name) or _PSEUDONYM.fullmatch(name):
            return name
        if key not in self._people:
            self._people[key] = self._next("person")
            self._anywhere = None
        return self._people[key]

    def spare(self, words: Iterable[str]) -> None:
        """Notes what is never a person: programs, and accounts that are called like them."""
        self._keep |= {word.casefold() for word in words}

    def learn(self, text: str, *, spread: bool = True) -> set[str]:
        """Notes the names that a text gives away by their place, so that `text` masks them wherever they stand.

        Gives these names; see `text` for `spread`.
        """
        if not self.enabled:
            return set()
        for match in _IPV4.finditer(text):
            if _SERVER.search(text[max(0, match.start() - 60) : match.start()]):
                self._servers.add(match.group())
        names = given_away(text)
        known = set(self._people)
        for name in names:
            self.person(name)
        here = {name.casefold() for name in names} & set(self._people)
        if not spread:
            self._local |= here - known
        elif here & self._local:
            self._local -= here
            self._anywhere = None
        return here

    def text(self, text: str, *, spread: bool = True, among: frozenset[str] | None = None) -> str:
        """The text with secrets hidden and personal data replaced by pseudonyms (person-1, client-1, email-1).

        A name that this text gives away is masked in later texts too; without `spread` only where those give it away
        themselves: names that strangers try at a login are often plain words. With `among` names that other texts gave
        away are masked only when they are in it (in lower case).
        """
        if not self.enabled or not text:
            return text
        text = self._secrets(text)
        text = _MAIL.sub(self._mail, text)
        here = self.learn(text, spread=spread)
        text = _IPV4.sub(lambda m: self._address(m, text), text)
        with_v4 = text
        text = _IPV6.sub(lambda m: self._address(m, with_v4), text)
        text = _PHONE.sub(lambda m: self._pseudonym("phone", re.sub(r"\D", "", m.group())), text)
        return self._names(text, here, among)

    def names_in(self, text: str) -> list[str]:
        """What in a text is a person's name or e-mail address by its place, as written there."""
        people = [name for name in given_away(text) if self.person(name) != name and not _PSEUDONYM.fullmatch(name)]
        mails = [match.group() for match in _MAIL.finditer(text) if self._mail(match) != match.group()]
        return list(dict.fromkeys(people + mails))

    def known_in(self, text: str) -> frozenset[str]:
        """The names, in lower case, that any text has given away so far and that stand in this one."""
        return frozenset(match.group().casefold() for match in self._everywhere().finditer(text)) if self._people else frozenset()

    def _everywhere(self) -> re.Pattern[str]:
        if self._anywhere is None:
            self._anywhere = any_of(set(self._people) - self._local)
        return self._anywhere

    def _names(self, text: str, here: set[str], among: frozenset[str] | None) -> str:
        """The text without the names that are masked wherever they stand, and without those that it gives away itself."""
        if not self._people:
            return text
        text = self._everywhere().sub(
            lambda m: m.group() if among is not None and m.group().casefold() not in among | here else self._people[m.group().casefold()],
            text,
        )
        return any_of(here & self._local).sub(lambda m: self._people[m.group().casefold()], text) if here & self._local else text

    def _pseudonym(self, kind: str, value: str) -> str:
        given = self._given.setdefault(kind, {})
        if value not in given:
            given[value] = self._next(kind)
        return given[value]

    def _next(self, kind: str) -> str:
        number = self._taken.get(kind, 0) + 1
        self._taken[kind] = number
        return f"{kind}-{number}"

    def _secrets(self, text: str) -> str:
        for pattern, replacement in _PLAIN_SECRETS:
            text = pattern.sub(replacement, text)
        text = _QUERY.sub(rf"\g<lead>{HIDDEN}", text)
        text = _KEYED.sub(_keyed, text)
        text = _RANDOM.sub(HIDDEN, text)
        return _CARD.sub(_card, text)

    def _mail(self, match: re.Match[str]) -> str:
        top, who = match["top"].casefold(), match["who"].casefold()
        if top in _UNITS or who == "git":
            return match.group()
        if who in ROLES and match.string[: match.start()].rstrip().endswith(("ssh", "scp", "rsync")):
            return match.group()
        return self._pseudonym("email", match.group().casefold().replace("%40", "@"))

    def _address(self, match: re.Match[str], text: str) -> str:
        try:
            address = ipaddress.ip_address(match.group())
        except ValueError:
            return match.group()
        if address.is_loopback and str(address) in ("127.0.0.1", "::1"):
            return match.group()
        if (
            address.is_unspecified
            or address.is_multicast
            or ("." not in match.group() and match.group().isalpha())
        ):
            return match.group()
        if not any(char.isdigit() for char in match.group()):
            return match.group()
        known = self._given.get("client", {})
        before = text[max(0, match.start() - 60) : match.start()]
        alone = match.group() == text
        # Access logs begin with the client; a value that is nothing but an address has no such place.
        if str(address) in known or _CLIENT.search(before) or (not before.strip(' "[(') and not alone):
            return self._pseudonym("client", str(address))
        if str(address) in self._servers:
            return match.group()
        inside = any(address in network for network in _INSIDE if network.version == address.version)
        if inside or address.is_loopback or _SERVER.search(before) or _VERSION.search(before):
            return match.group()
        return self._pseudonym("client", str(address))


def _aligned(raw: str, shown: str) -> list[tuple[str, str]]:
    """(pseudonym, what it stands for) where `shown` is `raw` masked; nothing where the two cannot be laid side by side."""
    parts = _REPLACED.split(shown)
    found: list[tuple[str, str]] = []
    at = len(parts[0])
    if not raw.startswith(parts[0]):
        return []
    for name, after in zip(parts[1::2], parts[2::2], strict=True):
        last = len(found) == len(parts) // 2 - 1
        end = len(raw) if last and not after else raw.find(after, at + 1) if after else -1
        if end < 0:
            return []
        found.append((name, raw[at:end]))
        at = end + len(after)
    return [pair for pair in found if pair[0] != HIDDEN] if at == len(raw) else []


# Addresses that are used inside an organisation (RFC 1918, 3927, 4193, 6598): infrastructure unless a client's place says else.
_INSIDE = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
    )
)


def _keyed(match: re.Match[str]) -> str:
    """Hides the value of a key that names a secret, unless the value is plainly none."""
    key, between, value = match["key"], match["between"], match["value"]
    bare = value.strip("\"'\\")
    word = key.rsplit(".", 1)[-1].casefold()
    if not bare or _HARMLESS.fullmatch(bare) or (word == "pwd" and bare.startswith(("/", "~"))):
        return match.group()
    # "token: unexpected end" is prose: after a colon and a blank, unquoted, only a value that looks made up is hidden.
    prose = between.strip() == ":" and between != ":" and value == bare and not word.startswith("pass")
    if prose and not (len(bare) >= 6 and any(char.isdigit() for char in bare)):
        return match.group()
    quote = '\\"' if value.startswith('\\"') else value[0] if value[0] in "\"'" else ""
    return f"{key}{between}{quote}{HIDDEN}{quote}"


def _card(match: re.Match[str]) -> str:
    """Hides a payment card number: the right length and a valid check digit (ISO/IEC 7812-1, Luhn)."""
    digits = [int(char) for char in match.group() if char.isdigit()]
    total = sum(
        digit if index % 2 == 0 else (digit * 2 - 9 if digit > 4 else digit * 2)
        for index, digit in enumerate(reversed(digits))
    )
    return HIDDEN if total % 10 == 0 else match.group()


def masked(findings: Findings, masker: Masker) -> Findings:
    """The findings with every text masked; names are learned from all quoted lines first, so that order does not matter."""
    if not masker.enabled:
        return findings
    for one in quotations(findings):
        masker.spare(programs_in(one.text))
    for one in quotations(findings):
        masker.learn(one.text)
    for entry in findings.timeline:
        if entry.kind == "human" and entry.service:
            _learn_tag(entry.service, masker)
    # A sentence of the draft has names only from the lines it is about; "first" in it is no user who is called so.
    cast = frozenset().union(
        *(masker.known_in(one.text) for incident in findings.incidents for candidate in _cast(incident) for one in candidate.evidence)
    )
    masked_findings: Findings = _walk(findings, masker, cast)
    return masked_findings


def _cast(incident: Incident) -> list[Candidate]:
    """Whose sentences are quoted in parts that have no evidence of their own, such as questions."""
    told = (incident.trigger, incident.detected, incident.acknowledged, incident.resolution)
    return [*incident.candidates, *(one for one in told if one is not None)]


def _learn_tag(service: str, masker: Masker) -> None:
    """A chat has who wrote it, and logger(1) tags a note with its writer's login; a program's name has marks or digits that logins seldom have."""
    if re.fullmatch(r"[^\W\d_]{2,}(?:[. ][^\W\d_]+)?", service):
        masker.person(service)


def _walk(value: Any, masker: Masker, names: frozenset[str]) -> Any:
    """The value with its texts masked; `names` are those that may stand in a text without giving themselves away."""
    if isinstance(value, str):
        return masker.text(value, among=names)
    if isinstance(value, Evidence):
        return replace(value, text=masker.text(value.text))
    if is_dataclass(value) and not isinstance(value, type):
        held = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in _EXACT}
        names = _names_near(held.values(), masker, names)
        return replace(value, **{name: _walk(one, masker, names) for name, one in held.items()})
    if isinstance(value, tuple | list):
        names = _names_near(value, masker, names)
        return type(value)(_walk(one, masker, names) for one in value)
    if isinstance(value, dict):
        names = _names_near(value.values(), masker, names)
        return {key: one if key in _EXACT else _walk(one, masker, names) for key, one in value.items()}
    return value


def _names_near(parts: Iterable[Any], masker: Masker, otherwise: frozenset[str]) -> frozenset[str]:
    """The names in the lines that stand as evidence beside some text, or those of around where there are none."""
    lines = [one for part in parts if isinstance(part, tuple | list) for one in part if isinstance(one, Evidence)]
    return frozenset().union(*(masker.known_in(one.text) for one in lines)) if lines else otherwise
