"""How likely counts are: failures among requests, and events among those expected.

Both are linear in the count and the exposure once two ratios are compared, which is what lets a scan add up evidence bin by
bin. Log-likelihoods leave out what no ratio changes (binomial coefficients, factorials).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Model(Protocol):
    """How likely counts are at a given exposure and ratio, up to terms that no ratio changes."""

    grid: tuple[float, ...]
    top: float

    def slopes(self, q0: float, q1: float) -> tuple[float, float]:
        """What a count and a unit of exposure add to the evidence for ratio `q1` against `q0`."""
        ...

    def fit(self, count: float, exposure: float) -> float:
        """The log-likelihood at its own best ratio."""
        ...

    def at(self, count: float, exposure: float, q: float) -> float:
        """The log-likelihood at ratio `q`."""
        ...

    def ratio(self, count: float, exposure: float) -> float:
        """The ratio, kept off its limits by about half a count."""
        ...

    def variance(self, exposure: float, q: float) -> float:
        """The variance of a count at this exposure and ratio."""
        ...


class Bernoulli:
    """`count` failures of `exposure` trials."""

    grid: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.97)
    top = 0.999

    def slopes(self, q0: float, q1: float) -> tuple[float, float]:
        lost = float(np.log((1 - q1) / (1 - q0)))
        return float(np.log(q1 / q0)) - lost, lost

    def fit(self, count: float, exposure: float) -> float:
        return _xlogy(count, exposure) + _xlogy(exposure - count, exposure)

    def at(self, count: float, exposure: float, q: float) -> float:
        return count * float(np.log(q)) + (exposure - count) * float(np.log1p(-q))

    def ratio(self, count: float, exposure: float) -> float:
        return (count + 0.5) / (exposure + 1.0)

    def variance(self, exposure: float, q: float) -> float:
        return exposure * q * (1 - q)


class Poisson:
    """`count` events where `exposure` were expected; the ratio is 1 when all is normal."""

    top = 1e9

    def __init__(self, grid: Sequence[float]) -> None:
        self.grid: tuple[float, ...] = tuple(grid)

    def slopes(self, q0: float, q1: float) -> tuple[float, float]:
        return float(np.log(q1 / q0)), q0 - q1

    def fit(self, count: float, exposure: float) -> float:
        return _xlogy(count, exposure) - count

    def at(self, count: float, exposure: float, q: float) -> float:
        return count * float(np.log(q)) - exposure * q

    def ratio(self, count: float, exposure: float) -> float:
        return (count + 0.05) / (exposure + 0.05)

    def variance(self, exposure: float, q: float) -> float:
        return exposure * q


def poisson_tail(count: float, expected: float) -> float:
    """At most so likely are `count` events or more where `expected` are due (Chernoff's bound); 1 where no more came than that."""
    return float(np.exp(count - expected - _xlogy(count, expected))) if count > expected else 1.0


def _xlogy(count: float, exposure: float) -> float:
    return float(count * np.log(count / exposure)) if count > 0 and exposure > 0 else 0.0
