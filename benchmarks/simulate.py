"""Writes log directories with made-up outages and the truth about them, to measure what is not tuned on recordings.

    python benchmarks/simulate.py OUT [--count 20] [--quiet 5] [--seed 1]

Each folder of OUT holds `logs/` and `truth.json` (window, zone, outages with onset, recovery, trigger, detection, resolution and
impact; key events; decoys; clock offsets). Shape, traffic, formats, zone, rotation, clock and fault are drawn from the seed;
the same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from faults import ALERTS, DECOYS, FAULTS, OTHER_CHANGE, Fault, Said

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Adelaide")
TRAFFIC = ("constant", "diurnal", "bursty", "sparse")
PAGES = (
    "/",
    "/browse",
    "/item/{n}",
    "/item/{n}/reviews",
    "/basket",
    "/pay",
    "/me/history",
    "/api/v1/stock/{n}",
    "/assets/site.css",
)
WEIGHTS = np.array([18, 14, 25, 8, 9, 6, 6, 8, 6]) / 100
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "okhttp/4.12.0",
    "Mozilla/5.0 (compatible; bingbot/2.0)",
)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
LOGGED = ("/basket", "/pay")
APP, HOSTS = "storefront", ("edge-1", "app-3")


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("out", type=Path)
    options.add_argument("--count", type=int, default=20, help="outages")
    options.add_argument("--quiet", type=int, default=5, help="quiet spans")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    for number in range(given.count + given.quiet):
        scene = Scene.drawn(given.seed, number, quiet=number >= given.count)
        write(scene, given.out / scene.name)
        print(scene.name)


@dataclass(slots=True)
class Scene:
    """One directory: what was drawn for it, and the lines that its logs will hold."""

    name: str
    rng: np.random.Generator
    fault: Fault | None
    shape: str
    traffic: str
    zone: ZoneInfo
    access: str  # combined, timed, json
    syslog: str  # bsd, iso
    app: str  # text, logfmt, json
    skew: float  # of the second host's clock
    start: float
    length: float
    lines: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def drawn(cls, seed: int, number: int, quiet: bool) -> Scene:
        rng = np.random.default_rng([seed, number])
        fault = None if quiet else FAULTS[number % len(FAULTS)]
        shape = "" if fault is None else str(rng.choice(fault.shapes))
        traffic = str(rng.choice(TRAFFIC))
        day = datetime(2025, 1, 6, tzinfo=UTC).timestamp() + int(rng.integers(0, 600)) * 86_400
        return cls(
            name=f"{number:03}-{'quiet' if fault is None else fault.name + '-' + shape}-{traffic}",
            rng=rng,
            fault=fault,
            shape=shape,
            traffic=traffic,
            zone=ZoneInfo(str(rng.choice(ZONES))),
            access=str(rng.choice(("combined", "timed", "json"))),
            syslog=str(rng.choice(("bsd", "iso"))),
            app=str(rng.choice(("text", "logfmt", "json"))),
            skew=float(rng.choice((0.0, 0.0, -73.0, 41.5))),
            start=day + 9 * 3600 + int(rng.integers(0, 8 * 3600)),
            length=float(rng.integers(480, 1500)),
        )

    # ------------------------------------------------------------------------------------------- saying things

    def say(self, when: float, said: Said, host: int = 0, **values: object) -> str:
        """Put a line into the log where it belongs; the answer is that log's file."""
        text = said.text.format(
            **{"app": APP, "version": "7.3.0", "old": "7.2.8", "pid": 4711, "path": "/pay", **values}
        )
        if said.log == "proxy":
            stamp = self.local(when).strftime("%Y/%m/%d %H:%M:%S")
            client = f"192.0.2.{self.rng.integers(1, 250)}"
            return self.put(
                "edge-1/proxy/error.log",
                when,
                f"{stamp} [error] 812#812: *{int(when) % 99991} {text}, client: {client}",
            )
        if said.log == "app":
            return self.put("app-3/storefront/app.log", when, self.app_line(when + self.skew, said, text))
        written = when + (self.skew if host else 0.0)
        local = self.local(written)
        if self.syslog == "bsd":
            stamp = f"{MONTHS[local.month - 1]} {local.day:>2} {local:%H:%M:%S}"
        else:
            stamp = local.isoformat(timespec="microseconds")
        pid = "" if said.tag == "kernel" else f"[{600 + len(said.tag) * 7}]"
        return self.put(f"{HOSTS[host]}/syslog", when, f"{stamp} {HOSTS[host]} {said.tag}{pid}: {text}")

    def app_line(self, written: float, said: Said, text: str) -> str:
        local = self.local(written)
        if self.app == "text":
            return f"{local:%Y-%m-%d %H:%M:%S},{local.microsecond // 1000:03} {said.severity.upper():<7} [{said.tag}] {text}"
        stamp = datetime.fromtimestamp(written, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
        if self.app == "json":
            return json.dumps({"time": stamp, "level": said.severity, "logger": said.tag, "msg": text})
        return f"ts={stamp} level={said.severity} logger={said.tag} msg={json.dumps(text)}"

    def put(self, file: str, when: float, line: str) -> str:
        self.lines.setdefault(file, []).append((when, line))
        return file

    def local(self, when: float) -> datetime:
        return datetime.fromtimestamp(when, self.zone)

    def iso(self, when: float) -> str:
        return self.local(when).isoformat(timespec="milliseconds")


def write(scene: Scene, folder: Path) -> None:
    """Simulate a scene and write its folder."""
    rng, stop = scene.rng, scene.start + scene.length
    begun = scene.start + float(rng.uniform(0.3, 0.5)) * scene.length
    ended = begun + float(rng.uniform(60, min(300, 0.4 * scene.length)))
    times = arrivals(scene, begun, ended)
    page = rng.choice(len(PAGES), len(times), p=WEIGHTS)
    inside = (times >= begun) & (times < ended)
    caused = np.zeros(len(times), bool)
    if scene.fault is not None:
        hit = inside & (page == rng.choice([2, 5, 7]) if scene.fault.partial else page != len(PAGES) - 1)
        chance = np.full(len(times), float(rng.choice((0.35, 0.7, 0.98))))
        if scene.shape == "ramp":
            chance *= np.clip((times - begun) / ((ended - begun) / 2), 0, 1)
        elif scene.shape == "flapping":
            chance *= np.floor((times - begun) / 25).astype(int) % 2 == 0
        caused = hit & (rng.random(len(times)) < chance)
    background = rng.random(len(times)) < 0.002
    took = rng.lognormal(-4, 0.6, len(times)) + np.where(
        caused, 0 if scene.fault is None else scene.fault.slow, 0
    )
    status = np.where(
        caused, 0 if scene.fault is None else scene.fault.status, np.where(background, 500, 200)
    )
    for when, where, code, duration in zip(times, page, status, took, strict=True):
        ended_at, path = float(when + duration), PAGES[where].format(n=int(rng.integers(1, 400)))
        request(scene, ended_at, path, int(code), float(duration))
        if (
            code == 200 and path in LOGGED
        ):  # the application says so a moment before the proxy logs the request
            order = Said("app", "orders", f"order {rng.integers(10_000, 99_999)} changed by {path}", "")
            scene.say(ended_at - 0.1 * float(duration), order)
    for when in np.arange(scene.start, stop, float(rng.uniform(60, 120))):
        scene.say(float(when), DECOYS[int(rng.integers(0, len(DECOYS)))], int(rng.integers(0, 2)))
    scene.say(float(rng.uniform(scene.start, stop)), OTHER_CHANGE, 1)
    finish = times + took
    scene.truth = {
        "name": scene.name,
        "window": {"start": scene.iso(scene.start), "end": scene.iso(stop)},
        "timezone": str(scene.zone),
        "year": scene.local(begun).year,
        "outages": [],
        "key_events": [],
        "impact": {"requests": 0, "failed": 0, "failed_percent": 0.0},
        "red_herrings": [{"log_match": said.match} for said in (OTHER_CHANGE, *DECOYS)],
        "clock_skew_s": {f"{HOSTS[1]}/*": scene.skew} if scene.skew else {},
    }
    if scene.fault is not None and caused.any():
        tell(scene, scene.fault, finish, caused, (status >= 500) & ~caused)
    save(scene, folder)


def arrivals(scene: Scene, begun: float, ended: float) -> np.ndarray:
    """When requests begin; while a stall lasts nine of ten never come."""
    rng, rate = scene.rng, {"sparse": 2.0}.get(scene.traffic, 15.0)
    if scene.traffic == "bursty":
        visits = rng.uniform(0, scene.length, rng.poisson(rate * scene.length / 6))
        times = (visits[:, None] + np.cumsum(rng.exponential(0.4, (len(visits), 6)), axis=1)).ravel()
    else:
        times = rng.uniform(0, scene.length, rng.poisson(rate * scene.length * 1.5))
        swing = 0.5 * np.sin(2 * np.pi * times / scene.length) if scene.traffic == "diurnal" else 0.0
        times = times[rng.random(len(times)) < (1 + swing) / 1.5]
    times = scene.start + np.sort(times[times < scene.length])
    if scene.shape == "stall":
        times = times[(times < begun) | (times >= ended) | (rng.random(len(times)) < 0.1)]
    return times


def request(scene: Scene, when: float, path: str, status: int, duration: float) -> None:
    """A line of the access log, stamped when the request ended."""
    rng, local = scene.rng, scene.local(when)
    client, size = f"198.51.100.{rng.integers(1, 250)}", int(rng.integers(80, 9000)) if status == 200 else 162
    agent = AGENTS[int(rng.integers(0, len(AGENTS)))]
    if scene.access == "json":
        line = json.dumps(
            {"time": local.isoformat(timespec="seconds"), "remote_addr": client, "request_method": "GET", "request_uri": path,
             "status": status, "body_bytes_sent": size, "request_time": round(duration, 3), "http_user_agent": agent}
        )  # fmt: skip
    else:
        stamp = f"{local.day:02}/{MONTHS[local.month - 1]}/{local:%Y:%H:%M:%S %z}"
        line = f'{client} - - [{stamp}] "GET {path} HTTP/1.1" {status} {size} "-" "{agent}"'
        if scene.access == "timed":
            line += f' rt={duration:.3f} urt="{duration:.3f}"'
    scene.put("edge-1/proxy/access.log", when, line)


def tell(scene: Scene, fault: Fault, finish: np.ndarray, caused: np.ndarray, other: np.ndarray) -> None:
    """The fault's lines, and what the truth says about them."""
    rng, failed = scene.rng, np.sort(finish[caused])
    onset, recovery = float(failed[0]), float(failed[-1])
    host = int(rng.integers(0, 2))
    pulled = max(scene.start + 5, float(finish[caused].min()) - fault.slow - float(rng.uniform(*fault.delay)))
    said: list[tuple[str, float, Said, int, float]] = [("trigger", pulled, fault.trigger, host, 3)]
    alert, clear = ALERTS[int(rng.integers(0, len(ALERTS)))]
    said.append(("alert", onset + float(rng.uniform(8, 40)), alert, 0, 2))
    said.append(
        ("resolution", max(recovery - float(rng.uniform(0, 2)), onset + 1), fault.resolution, host, 3)
    )
    said.append(("clear", recovery + float(rng.uniform(10, 40)), clear, 0, 1))
    events, files = [], {}
    for name, when, line, where, importance in said:
        files[name] = scene.say(when, line, where, status=fault.status)
        events.append(event(scene, name, when, importance, line))
    for when in failed[:: max(1, len(failed) // 400)]:
        scene.say(float(when) - 0.004, fault.symptom, path="/item/17")
    events.append(event(scene, "symptom", onset, 2, fault.symptom))
    during = (finish >= onset) & (finish <= recovery)
    later = np.sort(finish[~caused & (finish > recovery)])
    counted = {"requests": int(during.sum()), "failed": int((during & (caused | other)).sum())}
    counted["failed_percent"] = round(100 * counted["failed"] / counted["requests"], 2)
    scene.truth["impact"] = counted
    scene.truth["key_events"] = events
    scene.truth["outages"] = [
        {
            "onset": scene.iso(onset),
            "recovery": scene.iso(recovery),
            "first_ok": scene.iso(float(later[0])) if len(later) else None,
            **{
                key: {"time": scene.iso(when), "what": name, "log_match": line.match, "file": files[name]}
                for key, (name, when, line, _, _) in zip(
                    ("trigger", "detected", "resolution"), said[:3], strict=True
                )
            },
            "impact": counted,
        }
    ]


def event(scene: Scene, name: str, when: float, importance: float, said: Said) -> dict[str, Any]:
    return {
        "id": name,
        "time": scene.iso(when),
        "importance": importance,
        "log_match": said.match,
        "description": name,
    }


def save(scene: Scene, folder: Path) -> None:
    """Write logs in order of time, the older part of some rotated away and packed."""
    for file, lines in sorted(scene.lines.items()):
        ordered = [line for _, line in sorted(lines, key=lambda item: item[0])]
        path = folder / "logs" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        cut = len(ordered) // 3 if scene.rng.random() < 0.5 and len(ordered) > 100 else 0
        if cut:
            old = ("\n".join(ordered[:cut]) + "\n").encode()
            path.with_name(path.name + ".1.gz").write_bytes(gzip.compress(old, mtime=0))
        path.write_text("\n".join(ordered[cut:]) + "\n", encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps(scene.truth, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
