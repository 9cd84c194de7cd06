"""Measures how fast each family of logs is read: megabytes per second of processor time, and the share of rows read one by one.

    python benchmarks/families.py [--size 10] [--families nginx,cri] [--rounds 3] [--keep DIR]

The rows are made up, with thousands of clients, paths, ids and durations, one in 200 being a continuation or of another format. Of the
rounds the best one counts: other work on the machine only ever adds to it. Processor time is that of parsing into tables of events,
in one process, without start-up, planning or writing.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from retrolog.parsers.blocks import BlockParser, plan_for
from retrolog.parsers.timestamps import TimeContext

START = datetime(2026, 11, 23, tzinfo=UTC)
_BLOCK = 1 << 23
_WORDS = "order cart payment user session invoice stock shipment coupon refund".split()
Row = Callable[[random.Random, datetime], str]


def _path(rng: random.Random) -> str:
    return rng.choice((f"/api/v1/{rng.choice(_WORDS)}s/{rng.randrange(10**5)}", f"/search?q={rng.choice(_WORDS)}+{rng.randrange(900)}", "/health", f"/img/{rng.randrange(5000)}.webp"))


def _client(rng: random.Random) -> str:
    return f"{rng.choice((10, 192, 203))}.{rng.randrange(4)}.{rng.randrange(40)}.{rng.randrange(255)}"


def _iso(now: datetime, digits: int = 3) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f")[: 20 + digits]


def _clf(now: datetime) -> str:
    return now.strftime("%d/%b/%Y:%H:%M:%S +0000")


def _access(rng: random.Random, now: datetime) -> str:
    return f'{_client(rng)} - - [{_clf(now)}] "GET {_path(rng)} HTTP/1.1" {rng.choice((200, 200, 200, 404, 502))} {rng.randrange(9000)} "-" "Mozilla/5.0 ({rng.randrange(400)})"'


def _nginx_error(rng: random.Random, now: datetime) -> str:
    head = f"{now:%Y/%m/%d %H:%M:%S} [{rng.choice(('error', 'error', 'warn'))}] {rng.randrange(30, 38)}#{rng.randrange(30, 38)}: *{rng.randrange(10**6)} "
    said = rng.choice(
        (
            "connect() failed (111: Connection refused) while connecting to upstream", "upstream timed out (110: Connection timed out) while reading response header from upstream",
            f'open() "/srv/www{_path(rng)}" failed (2: No such file or directory)', f"limiting requests, excess: {rng.randrange(20)}.{rng.randrange(999):03} by zone \"api\"",
            f"an upstream response is buffered to a temporary file /var/cache/nginx/{rng.randrange(10)}/{rng.randrange(99):02}/{rng.randrange(10**10):010} while reading upstream",
        )
    )  # fmt: skip
    upstream = f', upstream: "http://10.0.0.{rng.randrange(9)}:8080{_path(rng)}"' if "upstream" in said else ""
    return f'{head}{said}, client: {_client(rng)}, server: shop.example.com, request: "GET {_path(rng)} HTTP/1.1"{upstream}, host: "shop.example.com"'


def _haproxy(rng: random.Random, now: datetime) -> str:
    server = rng.randrange(1, 6)
    timers = f"{rng.randrange(3)}/0/{rng.randrange(4)}/{rng.randrange(900)}/{rng.randrange(1200)}"
    return (
        f"{now:%b} {now.day:2} {now:%H:%M:%S} lb-1 haproxy[{rng.choice((811, 812))}]: {_client(rng)}:{rng.randrange(1024, 65000)} [{now:%d/%b/%Y:%H:%M:%S}.{now.microsecond // 1000:03}] "
        f'https~ web/web{server} {timers} {rng.choice((200, 200, 404, 503))} {rng.randrange(9000)} - - {rng.choice(("----", "sH--", "cD--"))} '
        f'{rng.randrange(90)}/{rng.randrange(90)}/{rng.randrange(9)}/{rng.randrange(9)}/0 0/0 "GET {_path(rng)} HTTP/1.1"'
    )


def _rfc5424(rng: random.Random, now: datetime) -> str:
    said = rng.choice(_WORDS)
    return (
        f'<{rng.choice((134, 131, 14))}>1 {_iso(now, 6)}Z web-{rng.randrange(6)}.example.com {said}d {rng.randrange(200, 240)} ID{rng.randrange(50)} '
        f'[origin@32473 ip="{_client(rng)}" software="shop"][meta sequenceId="{rng.randrange(10**6)}"] {said} {rng.randrange(10**5)} handled in {rng.randrange(900)} ms'
    )


def _logger(rng: random.Random, now: datetime) -> str:
    return f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03} {rng.choice(('INFO ', 'INFO ', 'WARN ', 'ERROR'))} [http-{rng.randrange(20)}] com.example.{rng.choice(_WORDS).title()}Service - {rng.choice(_WORDS)} {rng.randrange(10**5)} took {rng.randrange(900)} ms"


def _json(rng: random.Random, now: datetime) -> str:
    return f'{{"time":"{_iso(now)}Z","level":"{rng.choice(("info", "info", "error"))}","msg":"{rng.choice(_WORDS)} {rng.randrange(10**5)} handled","{rng.choice(_WORDS)}_id":{rng.randrange(10**6)},"took_ms":{rng.randrange(900)}}}'


def _klog(rng: random.Random, now: datetime) -> str:
    return f'{rng.choice("IIIWE")}{now:%m%d %H:%M:%S.%f} {rng.randrange(1, 9):7} {rng.choice(("controller.go:114", "reflector.go:535", "leaderelection.go:250"))}] "Synced" {rng.choice(_WORDS)}="shop/{rng.randrange(500)}" err="{rng.randrange(9)}"'


def _plain(rng: random.Random, now: datetime) -> str:
    del now
    return f"{rng.choice(_WORDS)} {rng.randrange(10**5)} handled for {_client(rng)} in {rng.randrange(900)} ms"


def _cri(inner: Row) -> Row:
    def made(rng: random.Random, now: datetime) -> str:
        return f"{_iso(now, 6)}{rng.randrange(1000):03}Z {rng.choice(('stdout', 'stdout', 'stderr'))} F {inner(rng, now)}"

    return made


def _docker(inner: Row) -> Row:
    def made(rng: random.Random, now: datetime) -> str:
        return f'{{"log":{json.dumps(inner(rng, now) + chr(10))},"stream":"{rng.choice(("stdout", "stderr"))}","time":"{_iso(now, 6)}{rng.randrange(1000):03}Z"}}'

    return made


def _compose(inner: Row) -> Row:
    def made(rng: random.Random, now: datetime) -> str:
        return f"{rng.choice(('api-1   ', 'worker-1', 'worker-2'))}  | {inner(rng, now)}"

    return made


def _kubectl(inner: Row) -> Row:
    def made(rng: random.Random, now: datetime) -> str:
        return f"[pod/shop-{rng.choice(('5d4', '6f8', '9b2'))}/app] {inner(rng, now)}"

    return made


def _ingress(rng: random.Random, now: datetime) -> str:
    took = rng.randrange(900) / 1000
    return f'{_access(rng, now)} {rng.randrange(900)} {took:.3f} [shop-web-80] [] 10.0.{rng.randrange(9)}.{rng.randrange(99)}:8080 {rng.randrange(9000)} {took:.3f} 200 {rng.randrange(16**12):032x}'


def _nested(rng: random.Random, now: datetime) -> str:
    took = rng.randrange(900)
    return (
        f'{{"time":"{_iso(now)}Z","level":"info","msg":"request","http":{{"request":{{"method":"GET"}},"response":{{"status_code":{rng.choice((200, 200, 502))}}}}},'
        f'"url":{{"path":"{_path(rng)}"}},"client":{{"ip":"{_client(rng)}"}},"duration_ms":{took}}}'
    )


def _journal(rng: random.Random, now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S}+0000 web-{rng.randrange(4)} {rng.choice(('sshd', 'systemd', 'app'))}[{rng.randrange(9000)}]: {_plain(rng, now)}"


def _postgres(rng: random.Random, now: datetime) -> str:
    said = rng.choice((f"LOG:  duration: {rng.randrange(900)}.{rng.randrange(999):03} ms  statement: SELECT * FROM {rng.choice(_WORDS)}s WHERE id = {rng.randrange(10**5)}", "ERROR:  deadlock detected", "FATAL:  sorry, too many clients already"))
    return f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03} UTC [{rng.randrange(9000)}] shop@orders {said}"


def _traceback(rng: random.Random, now: datetime) -> str:
    row = _logger(rng, now)
    if rng.random() > 0.1:
        return row
    return f'{row}\nTraceback (most recent call last):\n  File "/srv/app/tasks.py", line {rng.randrange(99)}, in run\n    fetch(order)\nrequests.exceptions.{rng.choice(("ReadTimeout", "ConnectionError"))}: no answer from {_client(rng)}'


FAMILIES: dict[str, Row] = {
    "nginx error": _nginx_error, "HAProxy in syslog": _haproxy, "RFC 5424, structured data": _rfc5424,
    "CRI, access inside": _cri(_access), "CRI, JSON inside": _cri(_json), "CRI, logger inside": _cri(_logger), "CRI, klog inside": _cri(_klog), "CRI, plain text": _cri(_plain),
    "docker json-file, access": _docker(_access), "docker json-file, JSON": _docker(_json), "docker json-file, logger": _docker(_logger),
    "docker json-file, plain text": _docker(_plain),
    "compose, JSON inside": _compose(_json), "compose, logger inside": _compose(_logger), "kubectl, logger inside": _kubectl(_logger),
    "ingress-nginx access": _ingress, "JSON, nested request": _nested, "journald short-iso": _journal, "PostgreSQL": _postgres,
    "logger with tracebacks": _traceback, "klog": _klog, "logback": _logger,
}  # fmt: skip


def made(name: str, size: int) -> bytes:
    """About so many bytes of a family's rows, in the order of their times."""
    rng, now, held = random.Random(name), START, 0
    rows: list[str] = []
    while held < size:
        now += timedelta(microseconds=rng.randrange(200_000))
        rows.append(FAMILIES[name](rng, now))
        if rng.random() < 0.005:
            rows.append(rng.choice(("    at com.example.Main(Main.java:12)", "plain words", "Nov 23 10:00:00 host tag: other", '{"cut": ')))
        held += len(rows[-1]) + 1
    return "".join(row + "\n" for row in rows).encode()


def measured(data: bytes) -> tuple[float, int, int]:
    """Seconds of processor time that reading takes, the rows, and how many of them were read one by one."""
    context = TimeContext(year=2026)
    plan_for(enumerate(data.split(b"\n"), 1), context)
    long_way = 0

    class Watched(BlockParser):
        """Counts what goes the long way."""

        def events(self, data: bytes, line: int, offset: int) -> list:  # type: ignore[type-arg]
            nonlocal long_way
            long_way += data.count(b"\n")
            return super().events(data, line, offset)

    parser = Watched(context)
    line = at = 0
    begin = time.process_time()
    while at < len(data):
        end = data.find(b"\n", min(at + _BLOCK, len(data)) - 1) + 1 or len(data)
        block = data[at:end]
        parser.feed(block, line + 1, at)
        line += block.count(b"\n")
        at = end
    return time.process_time() - begin, line, long_way


def main() -> None:
    """Print a row a family."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=10, help="MB a family")
    parser.add_argument("--families", default="", help="parts of names, with commas between")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="also write the logs into this folder")
    given = parser.parse_args()
    asked = [part.strip() for part in given.families.split(",") if part.strip()]
    print("| family | rows | MB per CPU s | rows one by one |\n| --- | --- | --- | --- |")
    for name in FAMILIES:
        if asked and not any(part in name for part in asked):
            continue
        data = made(name, int(given.size * 1e6))
        if given.keep is not None:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{name.replace(' ', '-').replace(',', '')}.log").write_bytes(data)
        taken, rows, one_by_one = min(measured(data) for _ in range(given.rounds))
        print(f"| {name} | {rows:,} | {len(data) / 1e6 / taken:.1f} | {one_by_one / rows:.1%} |", flush=True)


if __name__ == "__main__":
    main()
