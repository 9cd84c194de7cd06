"""Which events are requests, which of them failed, and which come from health checks or bots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, numbers, optional, texts, values
from ...parsers.kernels.words import rows_with
from .endpoints import MANY, endpoints, forms
from .folding import Numbers, coded

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

Mask = npt.NDArray[np.bool_]
T = TypeVar("T")

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
    r"amazon-route53|cloudflare-healthchecks|gatus|sensu|check_?mk|synthetic|(?:^|[\s/_-])(?:probe|prober|check|checker|watchdog|heartbeat)[-_/ ]"
)
_BOT_AGENT = (
    r"(?i)bot\b|bot/|crawl|spider|slurp|zgrab|masscan|nmap|nikto|sqlmap|censys|shodan|scrapy|python-requests|go-http-client|"
    r"curl/|wget/|libwww|headless|facebookexternalhit|feedfetcher|ahrefs|semrush|expanse|nuclei|dirbuster|gobuster|l9explore"
)


#: The user agent among the further fields of a request, whatever the key's case and prefix, also in a list of headers.
_AGENT = r'"(?:[0-9A-Za-z_.-]*[_.-])?(?i:user[_-]?agent|agent|ua)": ?\[?"(?P<ua>(?:[^"\\]|\\.)*)"'

#: nginx's status for a client that closed the connection before the answer.
CLOSED = 499


def failing(status: Any, closed: bool = False) -> Any:
    """Which statuses are failures: 5xx, and no answer (0, 444); with `closed` also clients that gave up (499)."""
    silent = optional([0, 444, CLOSED] if closed else [0, 444], pa.int16())
    return pc.fill_null(pc.or_(pc.greater_equal(status, 500), pc.is_in(status, value_set=silent)), False)


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known of each event as a request (true or false each), and its endpoint: a place in `endpoints`.

    A request names a path and a status and either a method or what was served. It failed when it was answered 5xx or
    not at all (0, 444). It was closed when the client gave up first (nginx's 499): whether that is a failure depends on
    how many do, see `retrolog.pipeline.analysis.outages.search`. 408 and other 4xx are answers. A probe is a health check.
    """

    request: Mask
    failed: Mask
    closed: Mask
    probe: Mask
    bot: Mask
    endpoint: Numbers
    endpoints: list[str | None]

    def pick(self, picked: Mask) -> Marks:
        """The marks of some of the events."""
        return Marks(
            self.request[picked], self.failed[picked], self.closed[picked], self.probe[picked], self.bot[picked],
            self.endpoint[picked], self.endpoints,
        )  # fmt: skip


def mark(events: pa.Table) -> Marks:
    """The marks of a table of events of one chunk.

    Where the table has a column `agent` (texts in a dictionary, as the agent stands in JSON), the user agent is taken from
    there, else out of `fields`.
    """
    there = {name: holds(pc.is_valid(events[name])) for name in ("status", "path", "method", "bytes", "client")}
    request = there["status"] & there["path"] & (there["method"] | (there["bytes"] & there["client"]))
    nothing = np.zeros(len(request), np.bool_)
    if not request.any():
        return Marks(request, nothing, nothing, nothing, nothing, np.zeros(len(request), np.int64), [None])
    status = values(events["status"])
    failed = request & ((status >= 500) | (status == 0) | (status == 444))
    closed = request & (status == CLOSED)
    path, of_path = _told_of_paths(events["path"].combine_chunks())
    agent, named = coded(events["agent"] if "agent" in events.column_names else agents(events["fields"], request))
    of_agent = _AGENTS.of(named)
    probe = np.array([probe for _, probe in of_path], np.bool_)[path]
    probe = request & (probe | np.array([probe for probe, _ in of_agent], np.bool_)[agent])
    bot = request & np.array([bot for _, bot in of_agent], np.bool_)[agent] & ~probe
    place = {endpoint: at for at, endpoint in enumerate(dict.fromkeys(endpoint for endpoint, _ in of_path))}
    endpoint = np.array([place[endpoint] for endpoint, _ in of_path], np.int64)[path]
    return Marks(request, failed, closed, probe, bot, endpoint, list(place))


class Known(Generic[T]):
    """What a function says of texts, asked once for each: at most `most` answers are kept."""

    def __init__(self, ask: Callable[[pa.Array], list[T]], most: int = 50_000) -> None:
        self._ask = ask
        self._most = most
        self._answers: dict[str | None, T] = {}

    def of(self, asked: Sequence[str | None]) -> list[T]:
        """The answers for these texts, in their order."""
        answers = self._answers  # another thread may begin anew meanwhile
        new = [text for text in dict.fromkeys(asked) if text not in answers]
        if len(answers) + len(new) > self._most:
            answers = {}
            new = list(dict.fromkeys(asked))
        if new:
            answers.update(zip(new, self._ask(texts(new)), strict=True))
        self._answers = answers
        return [answers[text] for text in asked]


def _told_of_paths(column: pa.Array) -> tuple[Numbers, list[tuple[str | None, bool]]]:
    """What is known of the paths of a column, and for each row the place of its own among that: asked once a form."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    known = pa.concat_arrays([encoded.dictionary, pa.nulls(0, pa.string())])  # no slice of another
    alike = forms(known).dictionary_encode()
    told = _PATHS.of(alike.dictionary.to_pylist())
    place = values(alike.indices).astype(np.int64)
    own = np.flatnonzero(np.array([MANY in (endpoint or "") for endpoint, _ in told], np.bool_)[place]) if told else place
    if len(own):
        told += _PATHS.of(known.take(numbers(own)).to_pylist())
        place[own] = np.arange(len(told) - len(own), len(told))
    there = holds(pc.is_valid(encoded.indices))
    return np.append(place, len(told))[np.where(there, values(encoded.indices), len(place))], [*told, (None, False)]


def _of_paths(paths: pa.Array) -> list[tuple[str | None, bool]]:
    """The endpoint of each path, and whether it is one that is polled."""
    return list(zip(endpoints(paths).to_pylist(), _matching(paths, _PROBE_PATH), strict=True))


def _of_agents(agents: pa.Array) -> list[tuple[bool, bool]]:
    """Whether a user agent polls, and whether it is a bot."""
    return list(zip(_matching(agents, _PROBE_AGENT), _matching(agents, _BOT_AGENT), strict=True))


def _matching(known: pa.Array, pattern: str) -> list[bool]:
    """Whether the pattern is found; null is no match."""
    return [bool(found) for found in pc.match_substring_regex(known, pattern).to_pylist()]


#: Paths and user agents repeat from block to block, and from file to file: a process asks once for each.
_PATHS: Known[tuple[str | None, bool]] = Known(_of_paths)
_AGENTS: Known[tuple[bool, bool]] = Known(_of_agents)


def agents(fields: pa.ChunkedArray, request: Mask) -> pa.DictionaryArray:
    """The user agent of requests out of `fields` (a JSON object as text), null where there is none."""
    said = pa.concat_arrays([fields.combine_chunks(), pa.nulls(0, pa.string())])  # no slice of another
    row = np.union1d(rows_with(said, b'gent":'), rows_with(said, b'ua":'))
    row = row[request[row]]
    place = np.full(len(said), -1, np.int32)
    if not len(row):
        return pa.nulls(len(said), pa.dictionary(pa.int32(), pa.string()))
    found = pc.struct_field(pc.extract_regex(said.take(numbers(row)), _AGENT), "ua").dictionary_encode()
    place[row] = np.where(holds(pc.is_valid(found.indices)), values(found.indices), -1)
    indices = pa.Array.from_buffers(pa.int32(), len(place), [flags(place >= 0).buffers()[1], pa.py_buffer(np.maximum(place, 0))])
    return pa.DictionaryArray.from_arrays(indices, found.dictionary)
