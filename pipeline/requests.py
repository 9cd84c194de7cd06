"""Which events are requests, which of them failed, and which come from health checks or bots."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

#: Paths that load balancers, orchestrators and monitors poll by convention.
_PROBE_PATH = (
    r"(?i)^/(-/|_/|\.well-known/|api/|v\d+/|actuator/|internal/|server-|nginx[_-]?)?"
    r"(health|healthz|healthcheck|health[_-]check|livez?|liveness|readyz?|readiness|ping|status|heartbeat|stub_status|alive|up)"
    r"(/(live|ready|liveness|readiness|db|check|startup))?/?(\.(php|html?|txt|json))?(\?.*)?$"
)
#: Programs that poll for a living, by the names their makers document.
_PROBE_AGENT = (
    r"(?i)kube-probe|elb-healthchecker|googlehc|uptime|pingdom|statuscake|site24x7|nagios|check_http|icinga|zabbix|"
    r"prometheus|blackbox|consul health|haproxy|varnish.?probe|datadog.?synthetic|newrelicpinger|health.?check|"
    r"monit/|monitoring|hetrixtools|freshping|updown\.io|betterstack|better uptime|traefik.?health|envoy/hc|azure.?traffic|"
    r"amazon-route53|cloudflare-healthchecks|gatus"
)
_BOT_AGENT = (
    r"(?i)bot\b|bot/|crawl|spider|slurp|zgrab|masscan|nmap|nikto|sqlmap|censys|shodan|scrapy|python-requests|go-http-client|"
    r"curl/|wget/|libwww|headless|facebookexternalhit|feedfetcher|ahrefs|semrush|expanse|nuclei|dirbuster|gobuster|l9explore"
)


#: nginx's status for a client that closed the connection before the answer.
CLOSED = 499


def failing(status: Any, closed: bool = False) -> Any:
    """Which statuses are failures: 5xx, and no answer (0, 444); with `closed` also clients that gave up (499)."""
    silent = pa.array([0, 444, CLOSED] if closed else [0, 444], pa.int16())
    return pc.fill_null(pc.or_(pc.greater_equal(status, 500), pc.is_in(status, value_set=silent)), False)


def mark_requests(events: pa.Table) -> pa.Table:
    """Add `request`, `failed`, `closed`, `probe` and `bot` (all boolean, never null) to a table of events.

    A request names a path and a status and either a method or what was served. It failed when it was answered 5xx or
    not at all (0, 444). It was closed when the client gave up first (nginx's 499): whether that is a failure depends on
    how many do, see `retrolog.pipeline.outages`. 408 and other 4xx are answers.
    """
    status = events["status"]
    request = pc.and_(
        pc.and_(pc.is_valid(status), pc.is_valid(events["path"])),
        pc.or_(pc.is_valid(events["method"]), pc.and_(pc.is_valid(events["bytes"]), pc.is_valid(events["client"]))),
    )
    failed = pc.and_(request, failing(status))
    closed = pc.and_(request, pc.fill_null(pc.equal(status, CLOSED), False))
    agent = _agents(events)
    probe = pc.and_(request, pc.or_(_matches(events["path"], _PROBE_PATH), _matches(agent, _PROBE_AGENT)))
    bot = pc.and_(request, pc.and_(_matches(agent, _BOT_AGENT), pc.invert(probe)))
    for name, column in (("request", request), ("failed", failed), ("closed", closed), ("probe", probe), ("bot", bot)):
        events = events.append_column(name, column)
    return events


def _agents(events: pa.Table) -> pa.ChunkedArray:
    """The user agent out of `fields` (a JSON object as text), null where there is none."""
    fields = events["fields"]
    encoded = fields.combine_chunks().dictionary_encode() if isinstance(fields, pa.ChunkedArray) else fields.dictionary_encode()
    found = pc.struct_field(pc.extract_regex(encoded.dictionary, r'"user_agent": ?"(?P<ua>(?:[^"\\]|\\.)*)"'), "ua")
    return found.take(encoded.indices)


def _matches(column: pa.Array | pa.ChunkedArray, pattern: str) -> pa.Array | pa.ChunkedArray:
    """Whether the pattern is found, worked out once a distinct value; null is no match."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = array.dictionary_encode() if not pa.types.is_dictionary(array.type) else array
    hit = pc.match_substring_regex(encoded.dictionary.cast(pa.string()), pattern)
    return pc.fill_null(hit.take(encoded.indices), False)

