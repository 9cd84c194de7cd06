"""How work is cut and who does it cannot be seen in the result: one pass, pieces, processes, a cluster, an object store."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrolog.pipeline.counting import engine
from retrolog.pipeline.counting.counts import Counts
from retrolog.pipeline.counting.engine import run
from retrolog.pipeline.counting.jobs import Engine, Job, batches, count, pieces
from retrolog.pipeline.counting.summary import Summary
from retrolog.pipeline.findings import SourceReport
from retrolog.pipeline.investigate import jobs
from retrolog.pipeline.options import Options
from retrolog.pipeline.progress import Progress
from retrolog.pipeline.reading.sources import discover
from retrolog.pipeline.window import Window

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECOND = 1_000_000
BASE = int(START.timestamp()) * SECOND


def access(count: int, seed: int = 1) -> bytes:
    rng, now, out = random.Random(seed), START, []
    for _ in range(count):
        now += timedelta(seconds=rng.random())
        status = 502 if rng.random() < 0.05 else 200
        out.append(
            f'10.0.0.{rng.randrange(250)} - - [{now:%d/%b/%Y:%H:%M:%S} +0000] "GET /item/{rng.randrange(50)} HTTP/1.1" {status} 5 "-" '
            f'"curl/8.{rng.randrange(9)}" rt={rng.random():.3f}\n'
        )
    return "".join(out).encode()


def application(count: int, seed: int = 2, traces: float = 0.1) -> bytes:
    rng, now, out = random.Random(seed), START, []
    for _ in range(count):
        now += timedelta(seconds=rng.random())
        failed = rng.random() < traces
        out.append(f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03} {'ERROR' if failed else 'INFO'} [worker-{rng.randrange(4)}] app.jobs: job {rng.randrange(999)}\n")
        if failed:
            out.append('Traceback (most recent call last):\n  File "a.py", line 3, in run\n\nValueError: bad value\n')
    return "".join(out).encode()


def same(one: tuple[Summary, list[SourceReport]], other: tuple[Summary, list[SourceReport]]) -> None:
    assert one[0].levels == other[0].levels
    assert one[0].tables.keys() == other[0].tables.keys()
    for name, table in one[0].tables.items():
        assert table.equals(other[0].tables[name]), name
    assert one[1] == other[1]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "access.log").write_bytes(access(9000))
    (folder / "app.log").write_bytes(application(6000))
    (folder / "old.log.gz").write_bytes(gzip.compress(application(500, 3)))
    return folder


def planned(path: Path | str, window: Window | None = None) -> list[Job]:
    options = Options(window=window or Window())
    return jobs(discover([str(path)]), options)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(size=st.integers(2_000, 400_000), traces=st.sampled_from([0.0, 0.2, 0.9]), seed=st.integers(0, 99))
def test_pieces_are_the_whole(tmp_path: Path, size: int, traces: float, seed: int) -> None:
    for name, data in (("access.log", access(800, seed)), ("app.log", application(500, seed, traces))):
        (tmp_path / name).write_bytes(data.replace(b"item/7 ", b"caf\xe9/7 ").replace(b"job 77\n", b"\0" * 20 + b"\n"))
    whole = planned(tmp_path)
    cut = batches(whole, size)
    counts = Counts()
    # the later ones are told what is known by then, in whatever order they come
    results = ((at, *count([job for _, job in cut[at]], levels=counts.levels)) for at in reversed(range(len(cut))))
    reports = engine.gathered(whole, cut, results, counts)
    same(run(whole), (counts.summary(), reports))


def test_local_processes_give_the_same(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run(planned(logs), engine=Engine(workers=1))
    monkeypatch.setattr(engine, "WORTH_WORKERS", 1)
    monkeypatch.setattr(engine, "SMALLEST", 100_000)
    assert len(pieces(planned(logs)[0], 100_000)) > 3
    seen: list[int] = []
    same(expected, run(planned(logs), lambda size, lines: seen.append(lines), Engine(workers=2)))
    assert sum(seen) == sum(report.lines for report in expected[1])


def test_every_line_has_one_fate(logs: Path) -> None:
    window = Window(BASE + 600 * SECOND, BASE + 900 * SECOND)
    for report in run(planned(logs, window))[1]:
        data = (logs / report.file).read_bytes()
        data = gzip.decompress(data) if report.file.endswith(".gz") else data
        assert sum(report.fates.values()) == report.lines == data.count(b"\n")


def test_parts_outside_the_window_are_not_read_but_accounted_for(tmp_path: Path) -> None:
    data = access(20_000).splitlines(keepends=True)
    (tmp_path / "access.log.2").write_bytes(b"".join(data[:8000]))
    (tmp_path / "access.log.1.gz").write_bytes(gzip.compress(b"".join(data[8000:14_000])))
    (tmp_path / "access.log").write_bytes(b"".join(data[14_000:]))
    window = Window(BASE + 9500 * SECOND, BASE + 9600 * SECOND)
    planned_jobs = planned(tmp_path, window)
    _, reports = run(planned_jobs)
    told = {report.file: report for report in reports}
    assert "outside the window" in told["access.log.2"].skipped
    assert "outside the window" in told["access.log.1.gz"].skipped
    assert told["access.log.2"].fates["outside"] == told["access.log.2"].lines == 8000
    assert told["access.log.1.gz"].lines == 0
    assert told["access.log"].skipped == ""
    assert told["access.log"].fates["in_window"] > 100


@pytest.mark.parametrize("packed", [False, True])
def test_a_window_read_in_part_holds_what_a_full_read_does(tmp_path: Path, packed: bool) -> None:
    data = application(60_000)
    (tmp_path / "app.log").write_bytes(data) if not packed else (tmp_path / "app.log.gz").write_bytes(gzip.compress(data))
    window = Window(BASE + 9000 * SECOND, BASE + 9300 * SECOND)
    (job,) = planned(tmp_path, window)
    part, whole = run([job])[0], run([replace(job, reach=None)])[0]
    assert packed or (job.reach is not None and job.reach.start > 0 and job.reach.stop is not None)
    for name, table in whole.tables.items():
        assert table.equals(part.tables[name]), name


def members(group: int) -> int:
    """How many processes a process group has."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            count += stat.read_text(errors="replace").rpartition(")")[2].split()[2] == str(group)
    return count


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes there are")
@pytest.mark.parametrize("pause", [0, 0.4, 1.5], ids=["workers start", "workers import", "workers read"])
def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path, pause: float) -> None:
    (tmp_path / "access.log").write_bytes(access(20_000) * 20)
    script = (
        "import sys\nfrom retrolog.pipeline.counting import engine\nengine.WORTH_WORKERS = 1\n"
        "from retrolog.pipeline.cli import main\nif __name__ == '__main__':\n main(['draft', sys.argv[1], '--jobs', '2'])\n"
    )
    program = tmp_path / "run.py"
    program.write_text(script)
    spool = tmp_path / "tmp"
    spool.mkdir()
    child = subprocess.Popen(
        [sys.executable, str(program), str(tmp_path / "access.log")], start_new_session=True, env={**os.environ, "TMPDIR": str(spool)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while child.poll() is None and members(child.pid) < 4 and time.monotonic() < deadline:  # the command, its tracker, two workers
        time.sleep(0.02)
    time.sleep(pause)
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode in (0, 130), said  # 0: it was quicker
    assert b"Traceback" not in said
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(child.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("a worker outlived the command")
    assert list(spool.iterdir()) == []


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_bytes_lines_rate_and_time_left() -> None:
    now = [0.0]
    out = _Terminal()
    with Progress(10_000_000, out, lambda: now[0]) as watch:
        now[0] = 2.0
        watch(4_000_000, 1234)
        assert "read 4.0 MB of 10.0 MB, 1,234 lines, 2.0 MB/s, 3 s left" in out.getvalue()
    assert out.getvalue().endswith("\r")
    silent = io.StringIO()
    with Progress(10, silent) as watch:
        watch(10, 1)
    assert silent.getvalue() == ""


def test_a_cluster_gives_the_same_although_a_worker_dies(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    expected = run(planned(logs), engine=Engine(workers=1))
    monkeypatch.setattr(engine, "PIECE", 100_000)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        victim = next(iter(cluster.workers.values())).process.process.pid  # type: ignore[union-attr]
        threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
        found = run(planned(logs), engine=Engine("dask", scheduler=cluster.scheduler_address))
    same(expected, found)


@pytest.fixture
def http_logs(logs: Path) -> Iterator[str]:
    pytest.importorskip("aiohttp")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(logs)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_log_behind_http(http_logs: str, logs: Path) -> None:
    pytest.importorskip("fsspec")
    near, far = run(planned(logs / "app.log")), run(planned(f"{http_logs}/app.log"))
    assert near[0].tables["patterns"].equals(far[0].tables["patterns"])
    assert far[1][0].lines == near[1][0].lines


def test_logs_in_an_object_store(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server_module = pytest.importorskip("moto.server")
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in (
            ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ):  # fmt: skip
            monkeypatch.setenv(name, value)
        store = fsspec.filesystem("s3", skip_instance_cache=True)
        store.mkdir("logs")
        for path in logs.iterdir():
            store.put(str(path), f"logs/web/{path.name}")
        window = Window(BASE + 600 * SECOND, BASE + 900 * SECOND)
        near, far = run(planned(logs, window)), run(planned("s3://logs/web", window))
    finally:
        server.stop()
    for name, table in near[0].tables.items():
        assert table.equals(far[0].tables[name]), name
    assert [report.file for report in far[1]] == [report.file for report in near[1]]
