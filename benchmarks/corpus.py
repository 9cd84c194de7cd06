"""Makes logs of any size, dirty where asked, with the counts that a reader must come to.

    python benchmarks/corpus.py DIR --size 100 [--kinds access,syslog,json,text] [--dirty 0.001] [--jitter 0] [--gz]

Sizes are in MB (10**6 bytes) a kind. Every file spans a day, so the lines a second grow with the size; ten minutes in its
middle are an outage. The same seed gives the same bytes. `truth.json` names, for each file, bytes, lines, and how many events
lie in the probe window; readers are checked against it before a time is printed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = 86_400
WINDOW = (43_200 - 60, 43_200 + 540)  # seconds of the day
OUTAGE = (43_200, 43_920)
_DIRT = [
    b"", b"   at com.example.Main(Main.java:12)", b"plain words", "caf\u00e9 \u2615".encode(), b"\xff\xfe broken \xf0\x28", b"nul\x00byte", b'{"cut": ',
    b'10.0.0.1 - - [bad] "GET /a\\"b HTTP/1.1" 200 12 "-" "x"', b"crlf\r", b"a" * 70_000, b"\x1b[31mcolour\x1b[0m",
]  # fmt: skip


class Words:
    """What rows are put together from: thousands of agents, paths and clients, as real traffic has."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        systems = ["Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15_7", "Linux; Android 14; SM-S921B"]
        self.agents = [
            f"Mozilla/5.0 ({rng.choice(systems)}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{rng.randrange(80, 140)}.0.{rng.randrange(7000)}.{rng.randrange(200)} Safari/537.36"
            for _ in range(3000)
        ] + ["curl/8.9.1", "kube-probe/1.30", "Googlebot/2.1 (+http://www.google.com/bot.html)", "-"]
        shapes = ["/", "/api/v1/orders/{}", "/product/{}-red-boots", "/search?q=item+{}&page=2", "/img/{}_large.webp", "/static/app.{:08x}.js", "/cart", "/health"]
        self.paths = [rng.choice(shapes).format(rng.randrange(10**6)) for _ in range(20_000)]
        self.clients = [".".join(str(rng.randrange(1, 255)) for _ in range(4)) for _ in range(30_000)]
        self.clients[::40] = [f"2001:db8:{rng.randrange(9999)}::{rng.randrange(9999)}" for _ in self.clients[::40]]
        self.hosts = [f"{kind}-{n:02}" for kind in ("web", "db", "worker") for n in range(8)]


def _access(rng: random.Random, words: Words, second: int, bad: bool) -> bytes:
    path = words.paths[min(int(rng.paretovariate(0.9) * 20), len(words.paths) - 1)]
    status = rng.choice((502, 504)) if bad and rng.random() < 0.35 else 200 if rng.random() < 0.95 else 404
    seconds = rng.lognormvariate(-3, 1) * (10 if bad else 1)
    return (
        f'{rng.choice(words.clients)} - - [{_at(second, "%d/%b/%Y:%H:%M:%S")} +0000] "GET {path} HTTP/1.1" {status} {rng.randrange(40_000)} "-" '
        f'"{rng.choice(words.agents)}" rt={seconds:.3f} urt="{seconds * 0.9:.3f}"'
    ).encode()


def _syslog(rng: random.Random, words: Words, second: int, bad: bool) -> bytes:
    n = rng.randrange(100_000)
    text = rng.choice(
        (
            f"sshd[{n}]: Failed password for invalid user admin{n % 90} from 203.0.113.{n % 250} port {n % 60_000} ssh2",
            f"systemd[1]: Started session-{n}.scope - Session {n} of User deploy.", f"CRON[{n}]: (root) CMD (run-parts /etc/cron.hourly)",
            f"app[{n}]: {'ERROR upstream timeout;' if bad else 'INFO'} request {n:08x} finished in {n % 900} ms",
            f"kernel: [{n}.000{n % 999:03}] TCP: request_sock_TCP: Possible SYN flooding on port {n % 9000}.",
        )
    )
    stamp = START + timedelta(seconds=second)
    return f"{stamp:%b} {stamp.day:2} {stamp:%H:%M:%S} {rng.choice(words.hosts)} {text}".encode()


def _json(rng: random.Random, words: Words, second: int, bad: bool) -> bytes:
    n = rng.randrange(100_000)
    head = f'{{"timestamp":"{_at(second, "%Y-%m-%dT%H:%M:%S")}.{n % 1000:03}Z","level":"{"error" if bad and n % 3 else "info"}","service":"{rng.choice(words.hosts)}",'
    rest = rng.choice(
        (
            f'"msg":"order {n} created","order_id":{n}}}', f'"msg":"cache miss for key sess:{n:016x}","cache":"redis-1"}}',
            f'"msg":"handled","method":"GET","path":"/api/v1/orders/{n}","status":200,"duration_ms":{n / 100}}}',
            f'"msg":"call failed: \\"payments\\"","error":{{"type":"TimeoutError","retries":{n % 4}}}}}',
        )
    )
    return (head + rest).encode()


def _text(rng: random.Random, words: Words, second: int, bad: bool) -> bytes:
    n = rng.randrange(100_000)
    failed = bad and n % 4 == 0
    head = f"{_at(second, '%Y-%m-%d %H:%M:%S')},{n % 1000:03} {'ERROR' if failed else 'INFO'} [worker-{n % 8}] app.orders: "
    if failed:
        trace = '\nTraceback (most recent call last):\n  File "/srv/app/tasks.py", line 12, in run\n    fetch(order)\n\nReadTimeout: timed out'
        return f"{head}task {n:016x} failed{trace}".encode()
    return (head + rng.choice((f"processing order {n}", f"pool size={n % 50} idle={n % 20}", f"GET http://stock.svc:8080/s/{n} returned 200 in {n % 400} ms"))).encode()


_STAMPS: dict[tuple[int, str], str] = {}


def _at(second: int, form: str) -> str:
    key = second, form
    if key not in _STAMPS:
        if len(_STAMPS) > 10_000:
            _STAMPS.clear()
        _STAMPS[key] = (START + timedelta(seconds=second)).strftime(form)
    return _STAMPS[key]


KINDS: dict[str, tuple[str, Callable[[random.Random, Words, int, bool], bytes], int]] = {
    "access": ("access.log", _access, 250), "syslog": ("syslog", _syslog, 100), "json": ("app.jsonl", _json, 160), "text": ("app.log", _text, 85),
}  # fmt: skip


def rows(kind: str, size: int, seed: int, dirty: float, jitter: float) -> Iterator[tuple[bytes, bool]]:
    """Rows of about `size` bytes in all, and whether each is an event of the probe window."""
    _, make, about = KINDS[kind]
    rng, words = random.Random(f"{seed}{kind}"), Words(seed)
    count = max(1000, size // about)
    for number in range(count):
        second = int(number * DAY / count - (rng.random() * jitter if jitter else 0)) if number else 0
        second = max(0, second)
        yield make(rng, words, second, OUTAGE[0] <= second < OUTAGE[1]), WINDOW[0] <= second < WINDOW[1]
        if dirty and rng.random() < dirty:
            yield rng.choice(_DIRT), False


def make(folder: Path, kind: str, size_mb: float, seed: int = 7, dirty: float = 0.0, jitter: float = 0.0, packed: bool = False) -> dict[str, object]:
    """Writes one file (and its .gz) and answers the truth about it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / KINDS[kind][0]
    lines = events = inside = 0
    with path.open("wb", buffering=1 << 20) as out:
        for row, probed in rows(kind, int(size_mb * 1e6), seed, dirty, jitter):
            out.write(row + b"\n")
            lines += 1 + row.count(b"\n")
            inside += probed
            events += 1
    if packed:
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb", compresslevel=6) as out:
            while block := plain.read(1 << 20):
                out.write(block)
    return {"file": path.name, "bytes": path.stat().st_size, "lines": lines, "rows": events, "in_window": inside}


def main() -> None:
    """Write the files asked for, and truth.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=float, default=100)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dirty", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--gz", action="store_true")
    given = parser.parse_args()
    truth = [make(given.folder, kind, given.size, given.seed, given.dirty, given.jitter, given.gz) for kind in given.kinds.split(",")]
    (given.folder / "truth.json").write_text(json.dumps(truth, indent=1))


if __name__ == "__main__":
    main()
