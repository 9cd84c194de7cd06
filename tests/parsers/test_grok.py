"""Grok: every standard name means what the grok filter's manual says of it, and what RE2 cannot match is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers.custom import own_format
from retrolog.parsers.grok import PATTERNS, PatternError, expand, pieces, plain, portable, read_definitions
from retrolog.parsers.timestamps import TimeContext

#: name, text that it fits whole, text that it does not fit whole
NAMES = [
    ("USERNAME", "deploy.bot-1", "a b"),
    ("EMAILADDRESS", "ops@example.com", "ops.example.com"),
    ("INT", "-42", "4.2"),
    ("NUMBER", "3.44", "3.4.4"),
    ("NUMBER", "-.5", "-"),
    ("BASE16NUM", "0xfeed", "0xg"),
    ("POSINT", "80", "0"),
    ("NONNEGINT", "0", "-1"),
    ("WORD", "warning", "two words"),
    ("NOTSPACE", "a=b;c", "a b"),
    ("QUOTEDSTRING", r'"a \" b"', '"a'),
    ("UUID", "12345678-1234-1234-1234-123456789abc", "12345678-1234"),
    ("MAC", "00:1A:2b:3c:4d:5e", "00:1A"),
    ("MAC", "001a.2b3c.4d5e", "001a.2b3c"),
    ("IPV4", "192.0.2.255", "192.0.2.256"),
    ("IPV6", "2001:db8::1", "2001:db8"),
    ("IPV6", "::1", ":1"),
    ("IPV6", "2001:db8:0:0:8:800:200c:417a", "2001:db8:0:0:8:800:200c"),
    ("IPV6", "::ffff:192.0.2.1", "::ffff:192.0.2"),
    ("IP", "192.0.2.1", "192.0.2"),
    ("HOSTNAME", "web-1.example.com", "-web"),
    ("HOSTPORT", "web-1:8080", "web-1"),
    ("UNIXPATH", "/var/log/app.log", "var/log"),
    ("WINPATH", r"C:\logs\app.log", "/logs"),
    ("TTY", "/dev/pts/0", "/dev/sda"),
    ("URIPATHPARAM", "/search?q=a%20b&x=[1]", "search"),
    ("URI", "https://user:pw@example.com:8443/a/b?c=d", "example.com/a"),
    ("MONTH", "November", "Novem"),
    ("DAY", "Mon", "Mo"),
    ("TIME", "23:59:60", "24:00:00"),
    ("DATE_US", "11/23/2026", "23/11/2026"),
    ("DATE_EU", "23.11.2026", "11.23.2026"),
    ("TIMESTAMP_ISO8601", "2026-11-23T10:40:29.123+01:00", "2026-11-23"),
    ("TIMESTAMP_ISO8601", "2026-11-23 10:40:29,123", "23.11.2026 10:40"),
    ("DATESTAMP_RFC822", "Mon Nov 23 2026 10:40:29 CET", "Nov 23 2026"),
    ("DATESTAMP_RFC2822", "Mon, 23 Nov 2026 10:40:29 +0100", "23 Nov 2026"),
    ("DATESTAMP_OTHER", "Mon Nov 23 10:40:29 UTC 2026", "Mon Nov 23"),
    ("HTTPDATE", "23/Nov/2026:10:40:29 +0100", "23/Nov/2026"),
    ("SYSLOGTIMESTAMP", "Nov  3 10:40:29", "Nov 3"),
    ("PROG", "postfix/smtpd", "a b"),
    ("LOGLEVEL", "Warning", "loud"),
    ("JAVACLASS", "org.example.Shop$1", "org..example"),
    ("CISCOMAC", "001a.2b3c.4d5e", "00:1a"),
    ("WINDOWSMAC", "00-1A-2B-3C-4D-5E", "00:1A:2B"),
]


def fits(pattern: str, text: str) -> bool:
    event = own_format("x", grok=f"(?<all>{pattern})$").parse(text, TimeContext())  # type: ignore[misc]
    return event is not None and event.fields["all"] == (text[1:-1] if text[0] == text[-1] == '"' else text)


@pytest.mark.parametrize(("name", "good", "bad"), NAMES, ids=[f"{n}-{g}" for n, g, _ in NAMES])
def test_a_standard_name_fits_what_it_says(name: str, good: str, bad: str) -> None:
    assert fits(f"%{{{name}}}", good)
    assert not fits(f"%{{{name}}}", bad)


@pytest.mark.parametrize("name", PATTERNS)
def test_every_standard_name_compiles(name: str) -> None:
    assert own_format("x", grok=f"%{{{name}:message}}").name == "x"


def test_fields_types_and_nested_names() -> None:
    text, kinds = expand("%{IP:[source][address]} %{NUMBER:took:float} %{OWN}", {"OWN": "%{WORD:word}s"})
    assert kinds == {"took": "float"}
    assert portable(text).names == ("source.address", "took", "word")
    assert plain("[http][request][method]") == "http.request.method"


@pytest.mark.parametrize(
    ("pattern", "result"),
    [
        ("(a)(?<b>c)", "(?:a)(?P<g0>c)"),
        ("(?'b'c)", "(?P<g0>c)"),
        ("(?>a|b)++", "(?:a|b)+"),
        ("a*+b?+c{2}+", "a*b?c{2}"),
        (r"\h\H[\hx]\Z", r"[0-9A-Fa-f][^0-9A-Fa-f][0-9A-Fa-fx]\z"),
        ("a(?#said (aside)b", "ab"),
        (r"[(]\([]+*]\+", r"[(]\([\]+*]\+"),
        ("[[:alpha:](]{2,}x{", "[[:alpha:](]{2,}x{"),
        ("(?i)(?i:x)", "(?i)(?i:x)"),
    ],
)
def test_a_pattern_is_rewritten_for_re2(pattern: str, result: str) -> None:
    assert portable(pattern).text == result


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?<![0-9])x", "looks around"),
        ("a(?=b)", "looks around"),
        (r"(?<a>x)\1", r"\1"),
        ("(?P<a>x)(?P=a)", "(?P="),
        ("[a", "without its ]"),
        ("a\\", "single backslash"),
        ("%{NUMBR:x}", "did you mean NUMBER?"),
        ("%{SELF}", "holds itself"),
        ("%{A9}", "grows beyond"),
        ("%{D0}", "nested deeper"),
    ],
)
def test_what_cannot_be_matched_is_refused_in_a_sentence(pattern: str, said: str) -> None:
    own = {"SELF": "x%{SELF}", "A0": "x" * 1000}
    own |= {f"A{n + 1}": f"%{{A{n}}}" * 9 for n in range(9)}
    own |= {f"D{n}": f"%{{D{n + 1}}}" for n in range(60)}
    with pytest.raises(PatternError, match=r".") as caught:
        portable(expand(pattern, own)[0])
    assert said in str(caught.value)


def test_a_definition_that_needs_backtracking_gives_way_to_the_built_in_one() -> None:
    own = read_definitions(["# numbers", "", "BASE10NUM (?<![0-9.+-])(?>[+-]?[0-9]+)", "SHOP  shop-%{INT:shop} "])
    assert portable(expand("%{NUMBER:n} %{SHOP}", own)[0]).names == ("n", "shop")
    with pytest.raises(PatternError, match="looks around"):
        expand("%{MINE}", {"MINE": "(?<!a)b"})


def test_a_line_that_is_no_definition_is_named() -> None:
    with pytest.raises(PatternError, match="line 2"):
        read_definitions(["A b", "alone"])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ab+", ["a", "b+"]),
        ("(?P<g0>x|y) (?:a|b){2}", ["(?P<g0>x|y)", " ", "(?:a|b){2}"]),
        ("(?:a(?:bc))", ["a", "b", "c"]),
        ("a|b", ["a|b"]),
        (r"[)(]\)", ["[)(]", r"\)"]),
    ],
)
def test_a_pattern_comes_apart_into_its_pieces(text: str, parts: list[str]) -> None:
    assert pieces(text) == parts


@given(st.text(alphabet="()[]{}?<>:=!+*|\\%aA1,^$-PN ", max_size=40))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        form = own_format("x", grok=text + "(?<message>.*)")
    except PatternError:
        return
    assert form.parse is not None
    form.parse("a", TimeContext())
