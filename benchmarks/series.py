"""Simulated series of requests with known outages, for what eight recordings cannot tell: how often, how exactly, how falsely.

Everything comes from a seed. A case is requests at single moments with a flag for "failed"; the truth is what the logs'
contract calls onset and recovery: when the first and the last failed request of the outage ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

HOUR = 3600
SHAPES = ("step", "ramp", "flapping", "stall")
TRAFFIC = ("constant", "diurnal", "bursty")


@dataclass(frozen=True, slots=True)
class Case:
    """An hour of requests: `times` in seconds, `failed`, and the outage's span, or None on a quiet hour."""

    name: str
    times: Floats
    failed: Bools
    span: tuple[float, float] | None
    first: float | None
    last: float | None
    caused: int  # failures that the outage made

    def counts(self) -> tuple[Floats, Floats]:
        """Failed and all requests per second."""
        second = self.times.astype(np.int64)
        total = np.bincount(second, minlength=HOUR)
        return np.bincount(second[self.failed], minlength=HOUR).astype(float), total.astype(float)


def outages(seed: int, rounds: int = 1, bursty: bool = False) -> Iterator[tuple[str, Case]]:
    """The grid: 5, 50, 500 requests/s; background 0, .2, 1 %; failing 5, 20, 100 %; 30 or 300 s; every shape."""
    for turn, shape in product(range(rounds), SHAPES):
        grid = product((5, 50, 500), (0.0, 0.002, 0.01), (0.05, 0.2, 1.0), (30, 300))
        for number, (rate, background, share, length) in enumerate(grid):
            rng = np.random.default_rng([seed, turn, SHAPES.index(shape), number, bursty])
            yield shape, outage(rng, shape, rate, background, share, length, bursty=bursty)


def outage(
    rng: np.random.Generator,
    shape: str,
    rate: float,
    background: float,
    share: float,
    length: float,
    *,
    bursty: bool = False,
    traffic: str = "constant",
) -> Case:
    """An hour with one outage of this shape, at a random moment."""
    start = float(rng.uniform(600, HOUR - 600 - length))
    times = _traffic(rng, rate, traffic)
    if shape == "stall":  # nine of ten requests never come
        inside = (times >= start) & (times < start + length)
        times = times[~inside | (rng.random(len(times)) < 0.1)]
    failed = _background(rng, times, background, bursty)
    inside = (times >= start) & (times < start + length)
    chance = np.where(inside, share, 0.0)
    if shape == "ramp":
        chance *= np.clip((times - start) / (length / 2), 0.0, 1.0)
    elif shape == "flapping":  # on and off in turns of a sixth of its length
        chance *= np.floor((times - start) / (length / 6)).astype(np.int64) % 2 == 0
    caused = rng.random(len(times)) < chance
    hit = times[caused]
    name = f"{shape} {rate}/s, {background:.1%} background, {share:.0%} for {length} s"
    ends = (float(hit[0]), float(hit[-1])) if len(hit) else (None, None)
    return Case(name, times, failed | caused, (start, start + length), *ends, int(caused.sum()))


def quiet(seed: int, hours: int, bursty: bool) -> Iterator[tuple[str, Case]]:
    """Hours without an outage over all rates, backgrounds (0 to 3 %) and shapes of traffic: background and case."""
    for number in range(hours):
        yield f"{_GRID[number % len(_GRID)][1]:.2%}", quiet_hour(seed, number, bursty)


_GRID = list(product((0.05, 5, 50, 500), (0.0, 0.0005, 0.002, 0.01, 0.03), TRAFFIC))


def quiet_hour(seed: int, number: int, bursty: bool) -> Case:
    """The hour of this number among all that differ in rate, background and shape of traffic."""
    rate, background, traffic = _GRID[number % len(_GRID)]
    rng = np.random.default_rng([seed, number, bursty])
    times = _traffic(rng, rate, traffic)
    return Case(f"{rate}/s {traffic}", times, _background(rng, times, background, bursty), None, None, None, 0)


def two_logs(
    rng: np.random.Generator, rate: float, share: float, whole: bool
) -> tuple[Floats, Floats, float]:
    """Stamps of two logs that share some of their requests, and how far the second one's clock is ahead."""
    times = _traffic(rng, rate, "constant") / 2 + 1e9
    passed = times[rng.random(len(times)) < share]
    own = _traffic(rng, rate * (1 - share), "constant") / 2 + 1e9
    offset = round(float(rng.uniform(-14, 14)) * 3600, 3)
    second = np.sort(np.concatenate([passed + rng.lognormal(-3.5, 0.8, len(passed)), own])) + offset
    return (np.floor(times), np.floor(second), offset) if whole else (times, second, offset)


def _traffic(rng: np.random.Generator, rate: float, kind: str) -> Floats:
    """Moments of requests: constant, with the swing of a day (half to one and a half), or in bursts of clients."""
    if kind == "bursty":
        visits = rng.uniform(0, HOUR, rng.poisson(rate * HOUR / 6))
        times = (visits[:, None] + np.cumsum(rng.exponential(0.3, (len(visits), 6)), axis=1)).ravel()
    else:
        times = rng.uniform(0, HOUR, rng.poisson(rate * HOUR * (1.5 if kind == "diurnal" else 1.0)))
        if kind == "diurnal":
            times = times[rng.random(len(times)) < (1 + 0.5 * np.sin(2 * np.pi * times / HOUR)) / 1.5]
    return np.sort(times[times < HOUR])


def _background(rng: np.random.Generator, times: Floats, share: float, bursty: bool) -> Bools:
    """Failures that are always there; bursty ones drag about three more along within the next seconds."""
    failed: Bools = rng.random(len(times)) < (share / 4 if bursty else share)
    if bursty and failed.any():
        first = np.repeat(times[failed], rng.poisson(3, int(failed.sum())))
        follow = np.searchsorted(times, first + rng.exponential(1.5, len(first)))
        failed[follow[follow < len(times)]] = True
    return failed
