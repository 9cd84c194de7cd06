"""Where a span begins and ends: the feet of its ramps, the bounds of its edges, and the pauses inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..likelihood import Model

Floats = npt.NDArray[np.float64]

#: Loss of log-likelihood that bounds a 95 % interval of one parameter (half the chi-square quantile of one degree).
_INTERVAL = 1.92
#: Gain (over dispersion) at which a weaker piece before the onset or after the recovery still belongs to the span.
_EXTEND = 5.0
#: The foot of a ramp is weaker than an outage may be: its ratio over the background's.
_FOOT = 2.0
#: Failures that make a foot: a single stray one beside a span says nothing of a ramp.
_FOOT_COUNT = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of a span before it is reported; the defaults are those measured in docs/accuracy.md.

    `gap` and `hole` are in bins: spans nearer than `gap` are one span that flapped, and a calm stretch inside counts as
    a flap from `hole` on. A span is an outage with `outage_count` failures in 3 bins, or with failures in `outage_bins`
    bins, else a blip. `certain` is the ratio from which a series that fails throughout is a span although it has no
    background to be compared with.
    """

    min_count: float = 8
    min_factor: float = 3.0
    min_rise: float = 0.01
    base_llr: float = 8.0
    gap: int = 60
    hole: int = 5
    outage_count: float = 20
    outage_bins: int = 10
    certain: float = 0.5


@dataclass(frozen=True, slots=True)
class Series:
    """Counts and exposures per bin with their running sums, so that any span's sum is one subtraction."""

    count: Floats
    exposure: Floats
    counts: Floats
    exposures: Floats

    def of(self, start: int, stop: int) -> tuple[float, float]:
        return float(self.counts[stop] - self.counts[start]), float(
            self.exposures[stop] - self.exposures[start]
        )


@dataclass(frozen=True, slots=True)
class Span:
    """A span with its edges as a step (`step_start`, `step_stop`) and with the feet of its ramps."""

    start: int
    stop: int
    step_start: int
    step_stop: int
    joined: int = 0


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of spans in one series, given the background's ratio and its dispersion (`spread`)."""

    series: Series
    model: Model
    rule: Rule
    background: float
    spread: float

    def extended(self, edge: tuple[int, int], least: int = _FOOT_COUNT) -> Span:
        """The span with the weaker pieces that lead into it and trail off from it: the feet of ramps.

        A piece holds `least` counts or more.
        """
        start, stop = edge
        marks = np.flatnonzero(self.series.count)
        while True:
            before = marks[(marks < start) & (marks >= start - self.rule.gap)]
            piece = self._foot([(int(mark), start) for mark in before], least)
            if piece is None:
                break
            start = piece[0]
        while True:
            after = marks[(marks >= stop) & (marks < stop + self.rule.gap)]
            piece = self._foot([(stop, int(mark) + 1) for mark in after], least)
            if piece is None:
                break
            stop = piece[1]
        return Span(start, stop, *edge)

    def _foot(self, pieces: list[tuple[int, int]], least: int) -> tuple[int, int] | None:
        """The piece next to a span that is most clearly no self.background, if one is."""
        best: tuple[float, tuple[int, int] | None] = (_EXTEND * self.spread, None)
        for piece in pieces:
            count, exposure = self.series.of(*piece)
            if count >= least and count > _FOOT * self.background * exposure:
                gain = self.model.fit(count, exposure) - self.model.at(count, exposure, self.background)
                if gain > best[0]:
                    best = (gain, piece)
        return best[1]

    def bounds(self, span: Span, inside: float) -> tuple[tuple[int, int], tuple[int, int]]:
        """The bins between which onset and recovery lie: where the likelihood falls by less than 1.92 over dispersion."""
        reach = min(600, max(60, span.stop - span.start))
        middle = (span.start + span.stop) // 2
        slope_count, slope_exposure = self.model.slopes(self.background, inside)
        low, high = max(0, span.start - reach), min(len(self.series.count), span.stop + reach)
        gain = slope_count * self.series.count[low:high] + slope_exposure * self.series.exposure[low:high]
        total = running(gain)  # total[k]: gained by the bins before low + k
        allowed = _INTERVAL * self.spread

        starts = total[: max(middle, span.step_start) - low + 1]
        near = low + np.flatnonzero(starts <= starts[span.step_start - low] + allowed)
        onset = (min(int(near[0]), span.start), max(int(near[-1]), span.step_start))
        stops = total[min(middle, span.step_stop) - low :]
        near = min(middle, span.step_stop) + np.flatnonzero(stops >= total[span.step_stop - low] - allowed)
        recovery = (min(int(near[0]), span.step_stop), max(int(near[-1]), span.stop))
        # One stray failure does not move the onset, but where the background has none it may well be the first.
        widest = self.extended((span.start, span.stop), least=1)
        onset, recovery = (
            (min(onset[0], widest.start), onset[1]),
            (recovery[0], max(recovery[1], widest.stop)),
        )
        onset = (min(onset[0], self._ramp_foot(span.start, middle)), onset[1])
        recovery = (recovery[0], max(recovery[1], self._ramp_foot(span.stop, middle)))
        return onset, recovery

    def _ramp_foot(self, edge: int, middle: int) -> int:
        """Where a ratio that climbs evenly from an edge to the middle of the span must have left the self.background.

        A line through the ratios of the two halves of that stretch; the edge itself when they differ by chance.
        """
        half = (edge + middle) // 2
        near, far = self.series.of(*sorted((edge, half))), self.series.of(*sorted((half, middle)))
        if not (near[1] > 0 and far[1] > 0 and half != edge):
            return edge
        low, high = near[0] / near[1] - self.background, far[0] / far[1] - self.background
        even = (near[0] + far[0]) / (near[1] + far[1])
        noise = self.spread * self.model.variance(1.0, min(even, self.model.top)) * (1 / near[1] + 1 / far[1])
        if low < 0 or high - low < 3 * float(np.sqrt(noise)):
            return edge
        length = abs(half - edge)
        reach = 1.2 * (
            length * low / (high - low) - length / 2
        )  # a fifth more, because the two ratios have errors too
        # Next to nothing was counted beyond the edge, so no more than a handful can have been due there.
        due = (high - low) / length * (near[1] / length)
        reach = int(np.ceil(np.clip(reach, 0.0, np.sqrt(12.0 / due))))
        return int(np.clip(edge - reach if middle > edge else edge + reach, 0, len(self.series.count)))

    def holes(self, start: int, stop: int, inside: float) -> list[tuple[int, int]]:
        """The stretches in which the series returned to its self.background inside a span: the same scan, the other way round."""
        needed = (self.rule.base_llr + float(np.log(stop - start))) * self.spread
        slope_count, slope_exposure = self.model.slopes(inside, self.background)
        gain = slope_count * self.series.count[start:stop] + slope_exposure * self.series.exposure[start:stop]
        total = running(gain)
        holes: list[tuple[int, int]] = []
        todo = [(0, stop - start)]
        while todo:
            low, high = todo.pop()
            if high - low < self.rule.hole:
                continue
            rest = total[low + 1 : high + 1] - np.minimum.accumulate(total[low:high])
            last = int(np.argmax(rest))
            first = int(np.argmin(total[low : low + last + 1]))
            if rest[last] < needed:
                continue
            if last + 1 - first >= self.rule.hole and low + first > 0 and low + last + 1 < stop - start:
                holes.append((start + low + first, start + low + last + 1))
            todo += [(low, low + first), (low + last + 1, high)]
        return sorted(holes)


def running(values: Floats) -> Floats:
    """Sums of the values before each place, and of all of them."""
    return np.concatenate([[0.0], np.cumsum(values)])
