"""The engine of the scan: the most likely spans in which a series of counts left its background.

A series is a count and an exposure per bin: failures of requests, or events of expected events. For a trial ratio every
bin adds count * a + exposure * b, and the span with the largest sum (prefix sum minus running minimum) is the exact
maximum-likelihood one for that ratio: the scan statistic of Kulldorff, "A spatial scan statistic" (1997), in one dimension.
What sets it apart from an alarm threshold is that its evidence is divided by the dispersion of the background, measured
outside the span: a background whose failures come in bursts needs more of them before it is called an outage.
`retrolog.pipeline.analysis.outages.scan` is the door to it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..likelihood import Bernoulli, Model, Poisson
from .edges import Edges, Floats, Rule, Series, Span, running

Ints = npt.NDArray[np.int64]

#: Spans looked for before the dispersion is known; more than this in one window is a noisy background.
_CANDIDATES = 24
#: So many equally strong spans may hide each other: each inflates the dispersion that the others are judged by.
_LOOKAHEAD = 4
#: Bins per block at which the dispersion is measured; the largest counts, since bursts have a length of their own.
_SCALES = (1, 10, 60, 600)
_BLOCKS = 12  # fewer blocks than this say nothing about dispersion


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of bins, `start_bin` to `stop_bin` (half-open), in which a series left its background.

    `failed` of `total` is what was counted inside (for rates: events seen and events expected), `p_in` and `p_out` the
    ratio inside and outside all spans. `llr` is the log-likelihood ratio already divided by `dispersion`. `onset` and
    `recovery` are (earliest, latest) bins: 95 % likelihood bounds, widened to the foot of a ramp. `flaps` counts the
    returns to normal inside. `is_blip` says it is too small to be called an outage. `open_start` and `open_end` say
    that the window begins or ends inside it, so that edge is only a bound.
    """

    start_bin: int
    stop_bin: int
    llr: float
    failed: float
    total: float
    p_in: float
    p_out: float
    dispersion: float
    onset: tuple[int, int]
    recovery: tuple[int, int]
    flaps: int = 0
    is_blip: bool = False
    open_start: bool = False
    open_end: bool = False


class Scan:
    """One search over one series: `model` says what is likely, `rule` what is reported.

    `rise` looks for more than the background, else for less. `known` is the background's ratio where it need not be
    estimated.
    """

    def __init__(
        self,
        model: Model,
        count: Floats,
        exposure: Floats,
        rule: Rule,
        *,
        rise: bool,
        known: float | None = None,
    ) -> None:
        self.model, self.rule, self.rise, self.known = model, rule, rise, known
        self.series = Series(count, exposure, running(count), running(exposure))
        self.all_count, self.all_exposure = self.series.of(0, len(count))
        self.threshold = rule.base_llr + 2 * float(np.log(max(int(np.count_nonzero(exposure)), 2)))

    def run(self) -> list[Segment]:
        """All spans in order of time: candidates, dispersion, acceptance, edges, merging."""
        if self.all_exposure <= 0 or (self.rise and self.all_count < self.rule.min_count):
            return []
        best: tuple[float, list[tuple[int, int]], float] = (0.0, [], 1.0)
        for start in self._baselines():
            answer = self._accepted(start)
            if answer[0] > best[0]:
                best = answer
        _, edges, spread = best
        if not edges:
            return self._throughout()
        edges = self._split(edges, spread)
        found = self._edges(self._outside(edges), spread)
        spans = sorted(
            (found.extended(edge) if self.rise else Span(*edge, *edge) for edge in edges),
            key=lambda span: span.start,
        )
        merged = self._merged(spans)
        background = self._outside([(span.start, span.stop) for span in merged])
        return [self._segment(span, merged, background, spread) for span in merged]

    # ------------------------------------------------------------------------------------------- background

    def _baselines(self) -> list[float]:
        """Ratios the background may have, from busy to calm blocks: the outage may fill most of the window."""
        if self.known is not None:
            return [self.known]
        if isinstance(self.model, Poisson):
            return [1.0]
        marks = np.searchsorted(self.series.exposures, np.linspace(0, self.all_exposure, 41))
        marks = np.unique(np.clip(marks, 0, len(self.series.count)))
        ratios = np.sort(
            (np.diff(self.series.counts[marks]) + 0.5) / (np.diff(self.series.exposures[marks]) + 1.0)
        )
        # A block without a failure proves less than the whole window does: no start lies above the window's ratio.
        most = self.model.ratio(self.all_count, self.all_exposure)
        picks = {float(min(ratios[int(len(ratios) * share)], most, 0.9)) for share in (0.5, 0.125, 0.0)}
        return sorted(picks, reverse=True)

    def _outside(self, spans: Sequence[tuple[int, int]]) -> float:
        """The background's ratio: all but these spans."""
        if self.known is not None:
            return self.known
        return float(min(self.model.ratio(*self._rest(spans)), self.model.top))

    def _rest(self, spans: Sequence[tuple[int, int]]) -> tuple[float, float]:
        inside = [self.series.of(*span) for span in spans]
        count = self.all_count - sum(count for count, _ in inside)
        return max(count, 0.0), max(self.all_exposure - sum(exposure for _, exposure in inside), 0.0)

    def _dispersion(self, spans: Sequence[tuple[int, int]]) -> float:
        """How much more than chance the background varies (variance over its expectation, at least 1).

        Measured outside the spans and their margins, so that neither the outage nor the foot of its ramp counts as noise.
        """
        keep = self.series.exposure > 0
        for start, stop in spans:
            margin = min(60, max(5, (stop - start) // 20))
            keep[max(0, start - margin) : stop + margin] = False
        widest = self._variation(self.series.count[keep], self.series.exposure[keep])
        if isinstance(self.model, Bernoulli) and int(np.count_nonzero(keep)) < _BLOCKS * _SCALES[1]:
            # A background of a few seconds cannot show that failures come in bursts; the spans that fill the rest can.
            widest = max([widest, *(self._variation(self.series.count[a:b], self.series.exposure[a:b]) for a, b in spans)])
        return widest

    def _variation(self, count: Floats, exposure: Floats) -> float:
        """How much more than chance these bins vary about their own ratio, at the scale at which they vary most."""
        tried = float(exposure.sum())
        if not tried or not count.any():
            return 1.0
        q = float(count.sum()) / tried
        widest = 1.0
        for scale in _SCALES:
            blocks = len(count) // scale
            if blocks < _BLOCKS:
                break
            size = blocks * scale
            gap = count[:size].reshape(blocks, scale).sum(1) - q * exposure[:size].reshape(blocks, scale).sum(
                1
            )
            normal = self.model.variance(float(exposure[:size].sum()), q)
            if normal > 0:
                widest = max(widest, float(gap @ gap) / normal * blocks / (blocks - 1))
        return widest

    # ------------------------------------------------------------------------------------------- candidates

    def _accepted(self, q0: float) -> tuple[float, list[tuple[int, int]], float]:
        """The gain in all of the spans that stand against this background, the spans, and its dispersion."""
        spans: list[tuple[int, int]] = []
        for _ in range(3):  # the background's ratio depends on the spans, and they on it
            again = self._candidates(q0)
            if again == spans:
                break
            spans = again
            q0 = self._outside(spans[:_LOOKAHEAD])
        answer: tuple[float, list[tuple[int, int]], float] = (0.0, [], 1.0)
        spans = [span for span in spans if self._large(*span, q0)]
        misses = 0
        for take in range(1, len(spans) + 1):
            chosen = spans[:take]
            spread = self._dispersion(chosen)
            gains = [self._gain(span, chosen) / spread for span in chosen]
            if min(gains) >= self.threshold and all(
                self._large(*span, self._outside(chosen)) for span in chosen
            ):
                answer, misses = (sum(gains) - self.threshold * (take - 1), chosen, spread), 0
            else:
                misses += 1
                if misses >= _LOOKAHEAD:
                    break
        return answer

    def _large(self, start: int, stop: int, background: float) -> bool:
        count, exposure = self.series.of(start, stop)
        rule = self.rule
        if self.rise:
            least = max(rule.min_factor * background, background + rule.min_rise)
            # Where three times the background is more than all, what is left to fail must mostly fail.
            least = (
                min(least, 1 - (1 - background) / rule.min_factor)
                if isinstance(self.model, Bernoulli)
                else least
            )
            return count >= rule.min_count and count >= least * exposure
        return exposure >= rule.min_count and count * rule.min_factor <= background * exposure

    def _gain(self, span: tuple[int, int], spans: Sequence[tuple[int, int]]) -> float:
        """Log-likelihood ratio of this span having a ratio of its own, against being background like the rest."""
        count, exposure = self.series.of(*span)
        if self.known is not None:
            return self._over(count, exposure, self.known)
        rest_count, rest_exposure = self._rest(spans)
        fit = self.model.fit
        apart = fit(count, exposure) + fit(rest_count, rest_exposure)
        return apart - fit(count + rest_count, exposure + rest_exposure)

    def _over(self, count: float, exposure: float, q: float) -> float:
        """Log-likelihood ratio of the best ratio against `q`."""
        return self.model.fit(count, exposure) - self.model.at(count, exposure, q)

    def _candidates(self, q0: float) -> list[tuple[int, int]]:
        """The best span, then the best one left and right of it, and so on, strongest first."""
        # A rise begins and ends at a counted event, so only those bins need be looked at.
        marks: Ints = np.flatnonzero(self.series.count) if self.rise else np.arange(len(self.series.count))
        trial = [q for q in self.model.grid if (q > 1.2 * q0 if self.rise else q < q0)] or [1 - (1 - q0) / 2]
        heap: list[tuple[float, int, int, int, int]] = []

        def push(low: int, high: int) -> None:
            if high > low:
                gain, first, last = self._best(marks[low:high], q0, trial)
                if gain >= self.threshold:
                    heapq.heappush(heap, (-gain, low, high, low + first, low + last))

        push(0, len(marks))
        spans: list[tuple[int, int]] = []
        while heap and len(spans) < _CANDIDATES:
            _, low, high, first, last = heapq.heappop(heap)
            spans.append((int(marks[first]), int(marks[last]) + 1))
            push(low, first)
            push(last + 1, high)
        return spans

    def _best(self, marks: Ints, q0: float, trial: Sequence[float]) -> tuple[float, int, int]:
        """The most likely span that begins and ends at a mark: its gain over `q0`, its first and last mark."""
        lead_count, lead_exposure = self.series.counts[marks], self.series.exposures[marks]
        tail_count, tail_exposure = self.series.counts[marks + 1], self.series.exposures[marks + 1]
        best = (0.0, 0, 0)
        tried: set[tuple[int, int]] = set()
        todo = list(trial)
        refits = 2 * len(todo)
        while todo:
            slope_count, slope_exposure = self.model.slopes(q0, todo.pop())
            lead = slope_count * lead_count + slope_exposure * lead_exposure
            rest = slope_count * tail_count + slope_exposure * tail_exposure - np.minimum.accumulate(lead)
            last = int(np.argmax(rest))
            first = int(np.argmin(lead[: last + 1]))
            if (first, last) in tried:
                continue
            tried.add((first, last))
            count = float(tail_count[last] - lead_count[first])
            exposure = float(tail_exposure[last] - lead_exposure[first])
            gain = self._over(count, exposure, q0)
            if gain > best[0]:
                best = (gain, first, last)
            if refits:
                refits -= 1
                todo.append(min(self.model.ratio(count, exposure), self.model.top))
        return best

    # ------------------------------------------------------------------------------------------- edges

    def _edges(self, background: float, spread: float) -> Edges:
        return Edges(self.series, self.model, self.rule, background, spread)

    def _split(self, edges: list[tuple[int, int]], spread: float) -> list[tuple[int, int]]:
        """Spans cut where they were normal for longer than outages may pause.

        Two outages alike with a calm between them have more evidence together than either alone, so the scan finds both as one.
        """
        inspect = self._edges(self._outside(edges), spread)
        pieces: list[tuple[int, int]] = []
        for start, stop in edges:
            count, exposure = self.series.of(start, stop)
            inside = min(max(count / exposure, self.model.ratio(0, exposure)), self.model.top)
            calm = [h for h in inspect.holes(start, stop, inside) if h[1] - h[0] > self.rule.gap]
            cuts = [start, *(edge for hole in calm for edge in hole), stop]
            pieces += [(low, high) for low, high in zip(cuts[::2], cuts[1::2], strict=True) if low < high]
        kept = [
            piece
            for piece in pieces
            if self._gain(piece, pieces) >= self.threshold * spread
            and self._large(*piece, self._outside(pieces))
        ]
        return kept or edges

    def _merged(self, spans: list[Span]) -> list[Span]:
        """Spans with short gaps between them made one: one outage that flapped."""
        merged: list[Span] = []
        for span in spans:
            if merged and span.start - merged[-1].stop <= self.rule.gap:
                last = merged[-1]
                apart = int(span.start - last.stop >= self.rule.hole)
                stop, step_stop = max(last.stop, span.stop), max(last.step_stop, span.step_stop)
                merged[-1] = replace(last, stop=stop, step_stop=step_stop, joined=last.joined + apart)
            else:
                merged.append(span)
        return merged

    def _segment(self, span: Span, spans: list[Span], background: float, spread: float) -> Segment:
        start, stop = span.start, span.stop
        count, exposure = self.series.of(start, stop)
        ratio = self.model.ratio(count, exposure)
        inside = min(max(count / exposure if exposure else 0.0, 0.0), self.model.top) or ratio
        edges = self._edges(background, spread)
        onset, recovery = edges.bounds(span, inside)
        traffic = np.flatnonzero(self.series.exposure)
        first, last = int(traffic[0]), int(traffic[-1])
        if self.rise:
            busy = int(np.count_nonzero(self.series.count[start:stop]))
            size = count - background * exposure if isinstance(self.model, Poisson) else count
        else:
            busy, size = stop - start, background * exposure - count
        rule = self.rule
        is_outage = (size >= rule.outage_count and busy >= min(3, stop - start)) or busy >= rule.outage_bins
        return Segment(
            start_bin=start,
            stop_bin=stop,
            llr=self._gain((start, stop), [(other.start, other.stop) for other in spans]) / spread,
            failed=count,
            total=exposure,
            p_in=count / exposure if exposure else 0.0,
            p_out=background,
            dispersion=spread,
            onset=onset,
            recovery=recovery,
            flaps=max(span.joined, len(edges.holes(start, stop, inside)) if self.rise else 0),
            is_blip=not is_outage,
            open_start=onset[0] <= first,
            open_end=recovery[1] > last,
        )

    def _throughout(self) -> list[Segment]:
        """The one span of a series that fails from end to end and so has no background of its own."""
        if not self.rise or not isinstance(self.model, Bernoulli) or self.known is not None:
            return []
        ratio = self.all_count / self.all_exposure
        if self.all_count < self.rule.outage_count or ratio < self.rule.certain:
            return []
        marks = np.flatnonzero(self.series.count)
        start, stop = int(marks[0]), int(marks[-1]) + 1
        edge = self.model.slopes(self.rule.certain / 10, self.model.ratio(self.all_count, self.all_exposure))
        return [
            Segment(
                start_bin=start,
                stop_bin=stop,
                llr=max(0.0, edge[0] * self.all_count + edge[1] * self.all_exposure),
                failed=self.all_count,
                total=self.all_exposure,
                p_in=ratio,
                p_out=0.0,
                dispersion=1.0,
                onset=(0, start),
                recovery=(stop, len(self.series.count)),
                open_start=True,
                open_end=True,
            )
        ]
