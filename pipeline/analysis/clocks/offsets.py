"""How far one clock is ahead of another, from what both wrote about the same things.

Three kinds of evidence, from the strongest: request ids that both logged; requests that agree in a key (method, path, status,
bytes) often enough to share a delay; and counts of events that rise and fall together, by cross-correlation (Knapp and Carter,
"The generalized correlation method for estimation of time delay", 1976). A whole host has one clock, so all of its
logs vote together. Nothing is claimed on thin evidence: `Offset.sure` says whether it may be applied.

Times are seconds since the epoch as the writers stamped them; an offset is positive where the other clock is ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Zones lie within 14 hours of UTC; a clock further off is a date that was never set, not a skew.
REACH = 14 * 3600 + 600.0
_QUARTER = 900.0
#: The rest after the nearest quarter hour up to which an offset is read as a zone; a larger one is all skew.
_ZONE_REST = 180.0
#: Peak height in standard deviations that stands alone (unrelated logs reach 5: docs/accuracy.md), and that which each of two
#: independent peaks at one lag must have.
_SURE, _CONFIRMS = 6.0, 5.0
#: A second peak this near to the best one in height makes the lag ambiguous: a rhythm, not an event.
_RIVAL = 0.8
#: Unless the rival is a lag of nothing: equal clocks are what is to be expected.
_PLAIN = 0.6
_MIN_PAIRS = 8
_MIN_IDS = 5
_CELLS = 1 << 20  # bins of a correlation at most
_SERIES = 12  # series per host that are compared, the richest first ...
_ENOUGH = 3  # ... until so many are sure of a lag ...
_ROOM = 2e7  # ... or so many bins were correlated: some seconds of work
_MANY = 100_000  # events of a series that are compared one by one, and differences that are looked at: more tell no more


#: The method of a whole zone that nothing else explains: the log was written in UTC.
IN_UTC = "written in UTC"


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a clock is ahead of the reference: `seconds` +- `error` (95 %), and how that is known.

    `seconds` is `zone` (a multiple of a quarter hour: the stamps' zone was misread) plus `skew` (the clock is wrong).
    `z` is the height of the evidence in standard deviations, `pairs` how many events agreed, `method` which evidence.
    """

    seconds: float
    error: float
    z: float
    pairs: int
    method: str
    sure: bool
    note: str = ""

    @property
    def zone(self) -> float:
        """The part that is a whole number of quarter hours, in seconds."""
        nearest = round(self.seconds / _QUARTER) * _QUARTER
        return nearest if abs(self.seconds - nearest) <= _ZONE_REST else 0.0

    @property
    def skew(self) -> float:
        """The rest: how far the clock itself is off, in seconds."""
        return self.seconds - self.zone


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one clock wrote: times of events by kind, and times of things that another clock may have written too.

    `series` are event times by a name of the caller's choice ("errors of app.log", "requests"). `ids` and `keys` are pairs
    of arrays: what was named (a request id or its hash; a hash of method, path, status and bytes), and when.
    """

    series: Mapping[str, npt.ArrayLike] = field(default_factory=dict)
    ids: tuple[npt.ArrayLike, npt.ArrayLike] | None = None
    keys: tuple[npt.ArrayLike, npt.ArrayLike] | None = None


def estimate(hosts: Mapping[str, Evidence], reference: str | None = None, groups: Mapping[str, str] | None = None) -> dict[str, Offset]:
    """The offset of each host's clock to the reference host's, for those of which something is known.

    Hosts of one group are never compared with each other: stretches of one clock follow each other. Without `reference` it is the host with the most events. A host that shares nothing with the reference is reached
    through one that does. The reference itself is not in the answer, nor is a host without evidence.
    """
    if not hosts:
        return {}
    main = reference if reference in hosts else max(sorted(hosts), key=lambda name: _size(hosts[name]))
    assert main is not None
    found: dict[str, Offset] = {}
    reached: list[tuple[str, Offset | None]] = [(main, None)]
    while reached:
        near, known = reached.pop(0)
        for name in sorted(hosts):
            if name == main or (name in found and found[name].sure) or (groups and groups[name] == groups[near]):
                continue
            offset = between(hosts[near], hosts[name])
            if offset is None:
                continue
            if known is not None:
                offset = replace(
                    offset,
                    seconds=offset.seconds + known.seconds,
                    error=float(np.hypot(offset.error, known.error)),
                    note=f"by way of {near}",
                )
            if name not in found or offset.sure:
                found[name] = offset
                if offset.sure:
                    reached.append((name, offset))
    return found


def between(reference: Evidence, other: Evidence) -> Offset | None:
    """The offset of `other` to `reference` on all evidence they have together; None when there is none."""
    if reference.ids is not None and other.ids is not None:
        named = by_ids(reference.ids, other.ids)
        if named is not None and named.sure:
            return named
    votes: list[tuple[tuple[str, str], Offset]] = []
    if reference.keys is not None and other.keys is not None:
        alike = by_keys(reference.keys, other.keys)
        if alike is not None:
            votes.append((("keys", "keys"), alike))
    room = _ROOM
    for (name, times), (other_name, other_times) in product(
        _richest(reference.series), _richest(other.series)
    ):
        room -= 5 * (float(np.ptp(times)) + float(np.ptp(other_times))) + 1000
        if room < 0:
            break
        vote = by_counts(times, other_times)
        if vote is not None:
            votes.append(((name, other_name), vote))
            if sum(cast.sure for _, cast in votes) >= _ENOUGH:
                break
    return _pooled(votes)


def by_ids(
    reference: tuple[npt.ArrayLike, npt.ArrayLike], other: tuple[npt.ArrayLike, npt.ArrayLike]
) -> Offset | None:
    """The offset from things that both named: the median difference of their first mentions."""
    names, when = _first_mentions(*reference)
    other_names, other_when = _first_mentions(*other)
    _, here, there = np.intersect1d(names, other_names, assume_unique=True, return_indices=True)
    if not len(here):
        return None
    lag = _centred(other_when)[there] - _centred(when)[here]
    middle = float(np.median(lag))
    spread = 1.4826 * float(np.median(np.abs(lag - middle)))
    step = max(_step(when), _step(other_when))
    # Two programs name a request at different moments of its life, so the spread does not average out.
    error = max(step / 2, spread, 0.001)
    near = float(np.mean(np.abs(lag - middle) <= 2.0 + step))
    sure = len(lag) >= _MIN_IDS and near >= 0.6
    z = float(np.sqrt(len(lag))) * near * 3
    return Offset(middle, error, z, len(lag), "request ids", sure)


def by_keys(
    reference: tuple[npt.ArrayLike, npt.ArrayLike], other: tuple[npt.ArrayLike, npt.ArrayLike]
) -> Offset | None:
    """The offset from things that look alike in both, by the differences between all that do.

    The rarest keys say most, so of each only those count that occur few times; the lag that most differences share wins.
    """
    names, when = np.asarray(reference[0]), _times(reference[1])
    other_names, other_when = np.asarray(other[0]), _times(other[1])
    common, counts = np.unique(names, return_counts=True)
    other_common, other_counts = np.unique(other_names, return_counts=True)
    shared, here, there = np.intersect1d(common, other_common, assume_unique=True, return_indices=True)
    rare = np.argsort(counts[here] * other_counts[there], kind="stable")
    room = np.cumsum((counts[here] * other_counts[there])[rare]) <= 2_000_000
    lags: list[Floats] = []
    for name in shared[rare[room]]:
        first, second = _centred(when)[names == name], _centred(other_when)[other_names == name]
        lags.append((second[None, :] - first[:, None]).ravel())
        if len(lags) >= 5_000:
            break
    if not lags:
        return None
    all_lags = np.concatenate(lags)
    all_lags = all_lags[np.abs(all_lags) <= REACH]
    step = max(_step(when), _step(other_when))
    return _peak_of_lags(all_lags, max(step, 0.5), step, "request pairs")


def by_counts(reference: npt.ArrayLike, other: npt.ArrayLike) -> Offset | None:
    """The offset from two series of event times that rise and fall together; None when they are too short to say.

    The cross-correlation of their counts, less its own running mean: what is left at a lag are events that follow each
    other at just that distance, over what two busy stretches would give by chance.
    """
    first, second = _sorted(_times(reference)), _sorted(_times(other))
    if min(len(first), len(second)) < _MIN_PAIRS:
        return None
    step = max(_step(first), _step(second))
    span = max(float(np.ptp(first)), float(np.ptp(second)))
    widths = sorted({max(width, step, span * 2 / _CELLS) for width in (0.2, 1.0, 3.0)})
    best: Offset | None = None
    for width in widths:
        found = _peak_of_counts(first, second, width, step)
        if found is not None and (best is None or found.z > 1.1 * best.z):
            best = found
    return best


# ------------------------------------------------------------------------------------------------------------- peaks


def _peak_of_counts(first: Floats, second: Floats, width: float, step: float) -> Offset | None:
    start, counts, power = _fluctuation(first, width)
    other_start, other_counts, other_power = _fluctuation(second, width)
    cells = 1 << (len(counts) + len(other_counts)).bit_length()

    def correlated(one: Floats, two: Floats) -> Floats:
        both: Floats = np.fft.irfft(np.conj(np.fft.rfft(one, cells)) * np.fft.rfft(two, cells), cells)
        return both

    lag = np.arange(-(len(counts) - 1), len(other_counts))
    centre = np.asarray((lag + other_start - start) * width, dtype=np.float64)
    inside = np.abs(centre) <= REACH
    lag, centre = lag[inside], centre[inside]
    # The variance at a lag is that of the bins that meet there; a few bins that meet at the ends must not look certain.
    least = 20 * float(power.mean()) * float(other_power.mean())
    spread: Floats = np.sqrt(np.maximum(correlated(power, other_power)[lag], 0.0) + least + 1e-12)
    z = np.asarray(correlated(counts, other_counts)[lag] / spread, dtype=np.float64)
    peak = _peak(z, centre, width)
    if peak is None:
        return None
    at, height, rival = peak
    near, surplus, sampled = _differences(_centred(first), _centred(second), at, width)
    if not len(near):
        return None
    return _judged(*_centre(near, at, surplus, step), height, surplus * sampled, rival, "counts")


def _fluctuation(times: Floats, width: float) -> tuple[float, Floats, Floats]:
    """Counts per bin less their running mean over ten seconds, from which bin on, and their squares.

    Two outages look alike from afar; what dates one series by another is which bins are busier than their neighbours.
    """
    start = float(np.floor(times[0] / width))
    counts = np.bincount((np.floor(times / width) - start).astype(np.int64)).astype(np.float64)
    reach = max(5, int(5.0 / width))
    total = np.concatenate([[0.0], np.cumsum(counts)])
    place = np.arange(len(counts))
    low, high = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(counts))
    counts = counts - (total[high] - total[low]) / (high - low)
    return start, counts, counts * counts


def _peak_of_lags(lags: Floats, width: float, step: float, method: str) -> Offset | None:
    if len(lags) < _MIN_PAIRS:
        return None
    low = float(np.floor(lags.min() / width)) - 40
    seen = np.bincount((np.floor(lags / width) - low).astype(np.int64))
    seen = np.concatenate([seen.astype(np.float64), np.zeros(40)])
    pair = seen + np.concatenate([seen[1:], [0.0]])  # a delay that falls on a bin's edge is in two bins
    chance = _surround(pair, max(10, int(10.0 / width)))
    places = np.asarray((np.arange(len(seen)) + low + 1.0) * width, dtype=np.float64)
    peak = _peak((pair - chance) / np.sqrt(chance + 1.0), places, width)
    if peak is None:
        return None
    at, z, rival = peak
    near = lags[np.abs(lags - at) <= 1.5 * width]
    surplus = len(near) - float(chance[int(np.argmin(np.abs(places - at)))]) * 1.5
    return _judged(*_centre(near, at, surplus, step), z, surplus, rival, method)


def _peak(z: Floats, centre: Floats, width: float) -> tuple[float, float, float] | None:
    """The lag that stands out most: its place, its height in standard deviations, and the height of the next one.

    The deviations are those seen at the other lags, since events in bunches vary more than independent ones.
    """
    if len(z) < 20:
        return None
    top = int(np.argmax(z))
    far = np.abs(centre - centre[top]) > max(5.0, 3 * width)
    if far.sum() < 10 or z[top] <= 0:
        return None
    scale = max(0.5, float(np.quantile(np.abs(z[far]), 0.995)) / 2.81)
    rival = float(z[far].max())
    equal = np.abs(centre) <= max(1.0, width)
    if equal.any() and not equal[top] and z[equal].max() >= max(_PLAIN * z[top], 4 * scale):
        top = int(np.flatnonzero(equal)[int(np.argmax(z[equal]))])
        rival = 0.0
    return float(centre[top]), float(z[top]) / scale, rival / scale


def _surround(values: Floats, reach: int) -> Floats:
    """The mean of the values up to `reach` places away, but for the nearest three each way."""

    def around(width: int) -> tuple[Floats, Floats]:
        total = np.concatenate([[0.0], np.cumsum(values)])
        place = np.arange(len(values))
        low, high = np.maximum(place - width, 0), np.minimum(place + width + 1, len(values))
        return total[high] - total[low], (high - low).astype(np.float64)

    wide, wide_size = around(reach)
    near, near_size = around(3)
    mean: Floats = np.maximum(wide - near, 0.0) / np.maximum(wide_size - near_size, 1.0)
    return mean


def _differences(first: Floats, second: Floats, at: float, width: float) -> tuple[Floats, float, int]:
    """Differences around a lag, how many more they are than around the lags beside it, and of how many each is one."""

    thin = max(1, len(first) // _MANY)
    first = first[::thin]
    begins = np.flatnonzero(np.append(True, first[1:] != first[:-1]))
    moments, often = first[begins], np.diff(np.append(begins, len(first)))  # stamps of whole seconds come many times

    def before(lag: float) -> npt.NDArray[np.int64]:
        return np.searchsorted(second, moments + lag)

    def count(low: float, high: float) -> int:
        return int(((before(high) - before(low)) * often).sum())

    reach = 1.5 * width
    beside = (count(at - 5 * reach, at - 2 * reach) + count(at + 2 * reach, at + 5 * reach)) / 3
    low, high = np.repeat(before(at - reach), often), np.repeat(before(at + reach), often)
    surplus = float((high - low).sum()) - beside
    every = max(1, int((high - low).sum() // _MANY))
    if every > 1:  # a sample will do
        first, low, high, surplus = first[::every], low[::every], high[::every], surplus / every
    many = high - low
    which = np.repeat(np.arange(len(first)), many)
    place = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
    return second[place] - first[which], surplus, every * thin


def _centre(lags: Floats, at: float, surplus: float, step: float) -> tuple[float, float]:
    """Where the differences around a peak really lie, and the half width of its 95 % interval.

    With fine stamps the densest place (half-sample mode, Bickel 2002). With whole seconds the mean of the surplus: chance lies
    evenly around the peak's middle `at`, so what moves the mean away from it are the events that both logs have.
    """
    if step >= 1.0:
        shift = float(np.sum(lags - at)) / max(surplus, 1.0)
        return at + float(np.clip(shift, -1.0, 1.0)), min(
            1.0, 0.25 + 2 * float(np.std(lags)) * len(lags) ** 0.5 / max(surplus, 1.0)
        )
    ordered = np.sort(lags)
    while len(ordered) > 3:
        half = (len(ordered) + 1) // 2
        start = int(np.argmin(ordered[half - 1 :] - ordered[: len(ordered) - half + 1]))
        ordered = ordered[start : start + half]
        if ordered[-1] - ordered[0] < 1e-9:
            break
    middle = float(np.median(ordered))
    close = lags[np.abs(lags - middle) <= 0.25]
    spread = float(np.median(np.abs(close - middle)))
    return middle, max(2 * spread, 0.01)


def _judged(seconds: float, error: float, z: float, surplus: float, rival: float, method: str) -> Offset:
    clear = rival < _RIVAL * z
    enough = surplus >= _MIN_PAIRS and z >= _SURE
    note = "" if clear else "a second lag fits nearly as well"
    return Offset(seconds, error, z, int(max(surplus, 0)), method, clear and enough, note)


def _pooled(votes: Sequence[tuple[tuple[str, str], Offset]]) -> Offset | None:
    """One answer from several: the lag that the votes' evidence supports most; equal clocks where anything says so."""
    if not votes:
        return None

    def agree(one: Offset, two: Offset) -> bool:
        return abs(one.seconds - two.seconds) <= max(1.0, one.error + two.error)

    def backing(offset: Offset) -> list[tuple[tuple[str, str], Offset]]:
        return [(names, vote) for names, vote in votes if agree(offset, vote) and vote.z >= _CONFIRMS]

    def weight(offset: Offset) -> float:
        plain = abs(offset.seconds) <= max(1.0, offset.error)
        total = sum(vote.z**2 for _, vote in backing(offset))
        return float(np.sqrt(total)) / (_PLAIN if plain else 1.0)

    best = max((vote for _, vote in votes), key=lambda vote: (weight(vote), vote.z))
    support = backing(best)
    finest = min((vote.error for _, vote in support), default=best.error)
    fine = [vote for _, vote in support if vote.error <= 2 * finest]
    sharp = max(fine, key=lambda vote: vote.z, default=best)
    others = {names for names, _ in support}
    # Two pairs of series are independent witnesses when they share neither side.
    confirmed = any(a[0] != b[0] and a[1] != b[1] for a in others for b in others)
    against = [vote for _, vote in votes if vote.sure and not agree(best, vote)]
    sure = (any(vote.sure for _, vote in support) or (confirmed and best.pairs >= _MIN_PAIRS)) and not any(
        vote.z > best.z * _RIVAL for vote in against
    )
    z = max((vote.z for _, vote in support), default=best.z)
    pairs = max((vote.pairs for _, vote in support), default=best.pairs)
    note = "other evidence says another lag" if against and not sure else best.note if not sure else ""
    return replace(best, seconds=sharp.seconds, error=sharp.error, z=z, pairs=pairs, sure=sure, note=note)


# ------------------------------------------------------------------------------------------------------------ helpers


def _times(values: npt.ArrayLike) -> Floats:
    times = np.asarray(values, dtype=np.float64)
    return times[np.isfinite(times)]


def _centred(times: Floats) -> Floats:
    """Times cut to whole seconds, moved to the middle of their second: else they are half a second early on average."""
    return times + 0.5 if _step(times) >= 1.0 else times


def _first_mentions(names: npt.ArrayLike, times: npt.ArrayLike) -> tuple[Any, Floats]:
    names, when = np.asarray(names), np.asarray(times, dtype=np.float64)
    order = np.argsort(when, kind="stable")
    unique, first = np.unique(names[order], return_index=True)
    return unique, when[order][first]


def _step(times: Floats) -> float:
    """The precision of the stamps in seconds: 1 when none has a fraction."""
    some = times[:1000]
    return 1.0 if len(times) and np.array_equal(some, np.floor(some)) and np.array_equal(times, np.floor(times)) else 0.001


def _sorted(times: Floats) -> Floats:
    return times if bool((times[1:] >= times[:-1]).all()) else np.sort(times)


def _richest(series: Mapping[str, npt.ArrayLike]) -> list[tuple[str, Floats]]:
    all_times = [(name, _times(values)) for name, values in sorted(series.items())]
    all_times = [(name, times) for name, times in all_times if len(times) >= _MIN_PAIRS]
    return sorted(all_times, key=lambda item: -len(item[1]))[:_SERIES]


def _size(evidence: Evidence) -> int:
    return sum(np.size(np.asarray(times)) for times in evidence.series.values())
