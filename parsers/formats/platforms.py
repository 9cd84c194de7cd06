"""Ruby and Rails, PHP (Monolog, Laravel), Erlang and Elixir, .NET, rows with a time of day but no date.

Columns: time, severity, service, pid, message; a Rails request fills method, path and client.
References: docs.ruby-lang.org Logger::Formatter, guides.rubyonrails.org/debugging_rails_applications.html,
github.com/Seldaek/monolog LineFormatter, erlang.org/doc/man/logger_formatter, hexdocs.pm/logger.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import LEVELS, integer, path_of, severity_of, status_code
from ..lazy import lazily
from ..shapes import CLOCK, ISO, MONTH
from ..timestamps import TimeContext, read_time
from ..zones import PATTERN as ZONE

_RAILS = lazily(
    rf'(?:\[(?P<request_id>[\w-]{{8,64}})\] )?Started (?P<method>[A-Z]+) "(?P<path>[^"]*)" for (?P<client>\S+) at (?P<time>{ISO}|'
    rf"[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} \d\d {CLOCK}{ZONE}? \d{{4}})$"
)
_RAILS_DONE = lazily(r"Completed (\d{3}) [\w ]{1,60}? in (\d+(?:\.\d+)?)ms")
_ERLANG = lazily(
    rf"=(?P<level>[A-Z]+) REPORT=+ (?P<time>\d{{1,2}}-{MONTH}-\d{{4}}::\d\d:\d\d:\d\d(?:\.\d+)?|{ISO})(?: UTC)? =+$"
)
_ERLANG_LEVELS = {"SUPERVISOR": "error", "CRASH": "error", "PROGRESS": "info"}
_CLOCK_ROW = lazily(
    rf"(?s)(?:\[(?P<level2>[DIWEC]) |\[[a-z]\w{{0,20}}\] (?=\d\d:\d\d:\d\d {LEVELS}[: ])|\d{{1,5}} (?=\d\d:\d\d:\d\d {LEVELS}))?\[?(?P<clock>[012]\d:\d\d:\d\d(?:[.,]\d{{1,9}})?)\]?(?: (?P<level3>{LEVELS})\] | (?!\[)\S{{1,60}}\] (?=\S)|\s+)"
    rf"(?:\[(?P<thread>[^\]/]{{1,100}})(?:\]\s+(?=\[?{LEVELS}\b)|/(?={LEVELS}\]: )))?(?:\[?(?P<level>{LEVELS})\]?[\]:]?(?:\s+|$))?(?P<message>.*)$"
)
_DATE_BEHIND = lazily(rf"(?:{ZONE}[, ]\s?)?(?:\d{{4}}[-/.]\d\d[-/.]\d\d|\d\d?([-/.])\d\d?\1\d{{4}}|\d\d/\d\d/\d\d(?=[\s,;]|$)|\d\d?[-/ ]{MONTH}[a-z]{{0,6}}[-/ ]\d{{4}})(?![\d:])")


def parse_rails(text: str, context: TimeContext) -> Event | None:
    """The row with which Rails begins a request's rows; None for any other row."""
    match = _RAILS.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    event = Event(reading[1], text, "rails", severity="info")
    event.method, event.client = match["method"], match["client"]
    event.path = path_of(match["path"])
    event.request_id = match["request_id"]
    return event


def close_rails(event: Event, context: TimeContext) -> None:
    """Takes status and duration from the `Completed` row of a request."""
    del context
    done = _RAILS_DONE.search(event.message)
    if done is not None:
        event.status = status_code(done[1])
        event.duration = float(done[2]) / 1000


def parse_erlang(text: str, context: TimeContext) -> Event | None:
    """The heading of an Erlang report, whose text follows in rows of its own; None for any other row."""
    match = _ERLANG.match(text)
    if match is None:
        return None
    reading = read_time(match["time"], context)
    if reading is None:
        return None
    level = match["level"]
    return Event(reading[1], "", "erlang", severity=_ERLANG_LEVELS.get(level) or severity_of(level))


def close_headed(event: Event, context: TimeContext) -> None:
    """The text is the rows under the heading, without its line break and what surrounds them."""
    del context
    event.message = event.message.strip("\n ")


def parse_clock(text: str, context: TimeContext) -> Event | None:
    """A row with a time of day but no date (logback's default, Elixir, Jupyter, Serilog's console, strace): its time where the file's days are known."""
    match = _CLOCK_ROW.match(text)
    if match is None or _DATE_BEHIND.match(match["message"]):
        return None  # the date follows: the stamp is whole
    context.begin()
    event = Event(context.on_day(match["clock"]), match["message"], "clock", severity=severity_of(match["level"] or match["level2"] or match["level3"]))
    if event.time is None:
        event.fields["clock"] = match["clock"]
    if match["thread"]:
        event.fields["thread"] = match["thread"]
        event.pid = integer(match["thread"])
    return event


def parse_clock_level(text: str, context: TimeContext) -> Event | None:
    """A row with a time of day and a level: an event of its own wherever it stands; None for any other row."""
    event = parse_clock(text, context)
    return event if event is not None and event.severity is not None else None


FORMATS = (
    Format(
        name="ruby",
        title="Ruby Logger",
        samples=(
            "I, [2026-11-23T10:40:29.123456 #1234]  INFO -- : started",
            "E, [2026-11-23T10:40:29.123456 #1234] ERROR -- sidekiq: boom",
        ),
        reference="docs.ruby-lang.org/en/master/Logger/Formatter.html",
        pattern=lazily(
            rf"(?s)[DIWEFA], \[(?P<time>{ISO}) ?#(?P<pid>\d+)\] +(?P<level>[A-Z]+) -- (?P<service>[^:]*): ?(?P<message>.*)$"
        ),
        priority=28,
        first="DIWEFA",
    ),
    Format(
        name="rails",
        title="Rails request rows",
        samples=(
            'Started GET "/orders?page=2" for 192.0.2.1 at 2026-11-23 10:40:29 +0100',
            '[5f0c9a7e-11aa] Started POST "/checkout" for ::1 at 2026-11-23 10:40:29 +0000',
        ),
        reference="guides.rubyonrails.org/debugging_rails_applications.html",
        parse=parse_rails,
        close=close_rails,
        priority=28,
        first="S[",
    ),
    Format(
        name="monolog",
        title="Monolog and Laravel",
        samples=(
            '[2026-11-23T10:40:29.123456+01:00] app.ERROR: payment failed {"order":1} []',
            "[2026-11-23 10:40:29] production.ERROR: boom",
        ),
        reference="github.com/Seldaek/monolog, LineFormatter",
        pattern=lazily(rf"(?s)\[(?P<time>{ISO})\] (?P<service>[\w.-]+)\.(?P<level>[A-Z]+): (?P<message>.*)$"),
        priority=31,
        first="[",
    ),
    Format(
        name="php",
        title="PHP and PHP-FPM error log",
        samples=(
            "[23-Nov-2026 10:40:29 UTC] PHP Warning:  Undefined variable $x in /srv/a.php on line 3",
            "[23-Nov-2026 10:40:29 Europe/Berlin] PHP Fatal error:  Uncaught Error: boom",
            "[23-Nov-2026 10:40:29] NOTICE: fpm is running, pid 1",
            "[23-Nov-2026 10:40:29.123456] WARNING: pid 7, fpm_children_bury(), line 5: exited",
        ),
        reference="php.net/manual/en/errorfunc.configuration.php; php.net/manual/en/install.fpm.configuration.php",
        pattern=lazily(
            rf"(?s)\[(?P<time>\d\d-{MONTH}-\d{{4}} {CLOCK}(?: [A-Za-z]+(?:/[A-Za-z_]+)*)?)\] +(?:PHP )?(?P<level>[A-Za-z]+)(?: error)?: +(?:pid (?P<pid>\d+), )?(?P<message>.*)$"
        ),
        priority=31,
        first="[",
    ),
    Format(
        name="erlang",
        title="Erlang and RabbitMQ reports",
        samples=("=ERROR REPORT==== 23-Nov-2026::10:40:29 ===", "=INFO REPORT==== 3-Nov-2026::10:40:29.123456 ==="),
        reference="erlang.org/doc/man/error_logger.html; rabbitmq.com/docs/logging",
        parse=parse_erlang,
        close=close_headed,
        priority=28,
        first="=",
    ),
    Format(
        name="clock",
        title="Time of day without a date",
        samples=("10:40:29.123456 close(3) = 0", "10:40:29 ---- job started"),
        reference="man 1 strace, -t",
        parse=parse_clock,
        priority=80,
        first="[0123456789",
    ),
    Format(
        name="clock_level",
        title="Time of day and level, without a date (logback's default, Elixir)",
        samples=("10:40:29.123 [main] INFO  com.example.App - ready", "10:40:29.123 [error] GenServer terminating", "[10:40:29 INF] Started",
                 "[I 10:40:29.123 NotebookApp] Serving", "[10:40:29] [Server thread/INFO]: Done",
                 "10:40:29,123 INFO  [org.jboss.as] (main) started", "[start] 10:40:29 INFO: syncthing"),
        reference="logback.qos.ch/manual/configuration.html; hexdocs.pm/logger; docs.syncthing.net",
        parse=parse_clock_level,
        alone=True,
        priority=79,
        first="[0123456789",
    ),
    Format(
        name="dotnet",
        title=".NET console (two rows an event, no time)",
        samples=("info: Microsoft.Hosting.Lifetime[14]\n      Now listening", "fail: App.Checkout[0]"),
        reference="learn.microsoft.com/dotnet/core/extensions/console-log-formatter",
        pattern=lazily(r"(?s)(?P<level>trce|dbug|info|warn|fail|crit): (?P<service>[\w.`+]+)\[(?P<id>\d+)\]$"),
        close=close_headed,
        priority=84,
        first="tdiwfc",
    ),
)
