"""Spans in which a series left its normal state: found, not found, their edges, and the laws they obey."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.pipeline.analysis.outages.scan import Rule, Segment, cut, segments, silences, surges, usual


def series(
    *parts: tuple[int, float, float], seed: int = 1, bursts: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Failed and total per second, from (seconds, requests per second, share that fails)."""
    rng = np.random.default_rng(seed)
    total = np.concatenate([rng.poisson(rate, seconds) for seconds, rate, _ in parts])
    share = np.concatenate([np.full(seconds, share) for seconds, _, share in parts])
    failed = rng.binomial(total, share)
    if bursts:
        clumps = rng.poisson(bursts, len(total)) * rng.poisson(3, len(total))
        failed = np.minimum(failed + clumps, total)
    return failed, total


FOUND = [
    # parts, (start, stop) of each outage, how many seconds off an edge may be, why
    ([(600, 20, 0), (120, 20, 1.0), (600, 20, 0)], [(600, 720)], 1, "everything fails for two minutes"),
    (
        [(600, 50, 0.002), (300, 50, 0.2), (600, 50, 0.002)],
        [(600, 900)],
        3,
        "a fifth fails over background failures",
    ),
    ([(600, 5, 0), (60, 5, 0.5), (600, 5, 0)], [(600, 660)], 3, "little traffic"),
    (
        [(40_000, 0.05, 0), (3000, 0.05, 1.0), (40_000, 0.05, 0)],
        [(40_000, 43_000)],
        90,
        "a request in twenty seconds",
    ),
    ([(300, 5000, 0.01), (60, 5000, 0.1), (300, 5000, 0.01)], [(300, 360)], 1, "heavy traffic"),
    ([(120, 20, 0.003), (60, 20, 0.9), (180, 20, 0.003)], [(120, 180)], 1, "a sixth of the window"),
    ([(240, 20, 0.003), (120, 20, 0.6)], [(240, 360)], 1, "the window ends inside"),
    ([(120, 20, 0.6), (240, 20, 0.003)], [(0, 120)], 1, "the window begins inside"),
    ([(60, 20, 0), (540, 20, 0.9), (20, 20, 0)], [(60, 600)], 1, "nearly all of the window is outage"),
    (
        [(300, 30, 0), (60, 30, 0.5), (300, 30, 0), (60, 30, 0.5), (300, 30, 0)],
        [(300, 360), (660, 720)],
        1,
        "two alike",
    ),
    (
        [(300, 30, 0.01), (200, 30, 0.9), (200, 30, 0.01), (60, 30, 0.2), (300, 30, 0.01)],
        [(300, 500), (700, 760)],
        3,
        "a small one beside a large one",
    ),
]


@pytest.mark.parametrize(("parts", "spans", "slack", "why"), FOUND, ids=[case[3] for case in FOUND])
def test_finds(parts: list, spans: list, slack: int, why: str) -> None:
    found = segments(*series(*parts))
    assert len(found) == len(spans), why
    for segment, (start, stop) in zip(found, spans, strict=True):
        assert abs(segment.start_bin - start) <= slack, why
        assert abs(segment.stop_bin - stop) <= slack, why
        assert not segment.is_blip


QUIET = [
    ([(3600, 20, 0)], 0.0, "nothing fails"),
    ([(3600, 20, 0.02)], 0.0, "something always fails"),
    ([(3600, 20, 0.002)], 0.01, "background failures in bursts"),
    ([(3600, 0.05, 0.01)], 0.0, "hardly any traffic"),
    ([(600, 0, 0)], 0.0, "no traffic at all"),
    ([(1800, 20, 0.01), (1800, 20, 0.018)], 0.0, "the background drifts"),
    ([(600, 20, 0), (3, 20, 0.08), (600, 20, 0)], 0.0, "a handful of failures"),
]


@pytest.mark.parametrize(("parts", "bursts", "why"), QUIET, ids=[case[2] for case in QUIET])
@pytest.mark.parametrize("seed", range(5))
def test_finds_nothing(parts: list, bursts: float, why: str, seed: int) -> None:
    assert not segments(*series(*parts, seed=seed, bursts=bursts)), why


@pytest.mark.parametrize("share", [0.1, 1 / 3, 0.6])
def test_dispersion_is_measured_outside_the_candidate(share: float) -> None:
    """Measured over the whole window, an outage of a third of it hides itself: it is most of the variance."""
    length = int(360 * share)
    failed, total = series((180 - length // 2, 23, 0.004), (length, 23, 0.9), (180 - length // 2, 23, 0.004))
    (segment,) = segments(failed, total)
    assert segment.dispersion < 2
    assert abs(segment.start_bin - (180 - length // 2)) <= 1


@pytest.mark.parametrize("calm", [0, 8, 22, 60])
def test_a_few_calm_seconds_beside_failures_in_bursts_are_no_background(calm: int) -> None:
    """What is left beside the span is too short to show that failures come in bursts: the span itself shows it."""
    failed, total = series((3600 - calm, 50, 0.007), bursts=0.3)
    quiet = series((calm, 50, 0), seed=2)
    assert not segments(*(np.concatenate(both) for both in zip(quiet, (failed, total), strict=True)))


@pytest.mark.parametrize(("share", "seconds"), [(0.1, 22), (0.3, 8), (0.9, 60)])
def test_an_outage_that_fills_all_but_a_few_seconds_is_found(share: float, seconds: int) -> None:
    (segment,) = segments(*series((seconds, 50, 0), (900, 50, share)))
    assert abs(segment.start_bin - seconds) <= 1


def test_dispersion_raises_the_bar() -> None:
    calm = segments(*series((1800, 10, 0.005), (60, 10, 0.1), (1800, 10, 0.005)))
    rough = segments(*series((1800, 10, 0.005), (60, 10, 0.1), (1800, 10, 0.005), bursts=0.02))
    assert calm
    assert not rough or rough[0].llr < calm[0].llr / 2


def test_short_and_small_is_a_blip() -> None:
    (segment,) = segments(*series((600, 12, 0), (1, 12, 1.0), (600, 12, 0)))
    assert segment.is_blip


def test_window_that_fails_throughout_is_one_open_span() -> None:
    (segment,) = segments(*series((300, 20, 0.9)))
    assert segment.open_start
    assert segment.open_end
    assert segment.p_in == pytest.approx(0.9, abs=0.05)


def test_known_baseline_finds_what_the_window_cannot_show() -> None:
    failed, total = series((300, 20, 0.2))
    assert not segments(failed, total)
    (segment,) = segments(failed, total, baseline=0.001)
    assert segment.open_start
    assert segment.open_end


def test_open_edges_are_told() -> None:
    (segment,) = segments(*series((240, 20, 0.003), (120, 20, 0.6)))
    assert segment.open_end
    assert not segment.open_start


def test_flapping_is_one_span_that_flapped() -> None:
    on, off = (30, 40, 0.8), (20, 40, 0.0)
    (segment,) = segments(*series((600, 40, 0), on, off, on, off, on, (600, 40, 0)))
    assert segment.flaps == 2
    assert abs(segment.start_bin - 600) <= 1
    assert abs(segment.stop_bin - 730) <= 1


def test_more_than_a_minute_apart_are_two() -> None:
    on = (30, 40, 0.8)
    assert len(segments(*series((600, 40, 0), on, (62, 40, 0), on, (600, 40, 0)))) == 2
    assert len(segments(*series((600, 40, 0), on, (55, 40, 0), on, (600, 40, 0)))) == 1


def test_ramp_has_an_onset_range_that_holds_its_start() -> None:
    rng = np.random.default_rng(3)
    total = rng.poisson(40, 1800)
    share = np.zeros(1800)
    share[600:900] = np.linspace(0, 0.8, 300)
    (segment,) = segments(rng.binomial(total, share), total)
    earliest, latest = segment.onset
    assert earliest <= 603
    assert latest >= segment.start_bin
    assert latest - earliest > 3
    assert abs(segment.stop_bin - 900) <= 1


def test_a_day_is_scanned_in_tens_of_milliseconds() -> None:
    failed, total = series((40_000, 50, 0.01), (300, 50, 0.3), (46_100, 50, 0.01))
    segments(failed, total)
    begun = time.process_time()
    segments(failed, total)
    assert time.process_time() - begun < 1.0  # generous: shared machines


@pytest.mark.parametrize("drop", [0.0, 0.1])
def test_silence_of_traffic(drop: float) -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(20, 3600)
    counts[1200:1260] = rng.poisson(20 * drop, 60)
    (segment,) = silences(counts)
    assert abs(segment.start_bin - 1200) <= 1
    assert abs(segment.stop_bin - 1260) <= 1


def test_silence_at_the_end() -> None:
    counts = np.random.default_rng(4).poisson(20, 600)
    counts[500:] = 0
    (segment,) = silences(counts)
    assert segment.start_bin == pytest.approx(500, abs=1)
    assert segment.open_end


def test_heartbeat_that_stops() -> None:
    counts = np.zeros(3600)
    counts[::10] = 1
    counts[1201:1260] = 0
    (segment,) = silences(counts)
    assert segment.start_bin == 1201
    assert segment.stop_bin == 1260
    assert segment.total == pytest.approx(5)
    counts[1230] = 1  # two gaps of 30 seconds instead of one of a minute
    assert [(s.start_bin, s.stop_bin) for s in silences(counts)] == [(1201, 1230), (1231, 1260)]


def test_one_missed_beat_and_a_random_gap_are_no_silence() -> None:
    counts = np.zeros(3600)
    counts[::10] = 1
    counts[1200] = 0
    assert not silences(counts)
    assert not silences(np.random.default_rng(5).poisson(0.1, 3600))


def test_the_hour_of_the_day_is_neither_silence_nor_surge() -> None:
    rate = 20 * (1 + 0.6 * np.sin(np.arange(86_400) * 2 * np.pi / 86_400))
    counts = np.random.default_rng(6).poisson(rate)
    assert not silences(counts)
    assert not surges(counts)
    assert usual(counts) == pytest.approx(rate, rel=0.35)


def test_surge() -> None:
    rng = np.random.default_rng(7)
    counts = rng.poisson(2, 3600)
    counts[1000:1090] += rng.poisson(15, 90)
    (segment,) = surges(counts)
    assert abs(segment.start_bin - 1000) <= 1
    assert abs(segment.stop_bin - 1090) <= 1
    counts = np.zeros(3600)
    counts[2000:2030] = 3  # a message never seen before
    (segment,) = surges(counts)
    assert (segment.start_bin, segment.stop_bin) == (2000, 2030)


def test_edges_are_cut_at_single_requests() -> None:
    times = np.arange(0, 100, 0.1)
    failed = (times >= 40.25) & (times < 60.05)
    assert cut(times, failed, 40, 61, p_in=0.9, p_out=0.0) == pytest.approx((40.3, 60.0))
    assert cut(times, np.zeros(len(times), bool), 40, 61, p_in=0.9, p_out=0.1) == (40, 61)
    assert cut([], [], 40, 61, p_in=0.9, p_out=0.1) == (40, 61)


def test_series_must_fit_together() -> None:
    with pytest.raises(ValueError, match="3 bins of failures but 2"):
        segments([0, 0, 0], [1, 1])
    with pytest.raises(ValueError, match="one dimension"):
        surges([[1, 2], [3, 4]])


@pytest.mark.parametrize("values", [[], [0], [5], [0, 0, 0], [np.nan, 1, 2], [-1, 5, 3]])
def test_odd_series_do_not_raise(values: list) -> None:
    assert segments(values, values) == []
    assert surges(values) == []
    assert silences(values) == []


def shape(found: list[Segment], moved: int = 0) -> list[tuple[int, int, float]]:
    return [(s.start_bin + moved, s.stop_bin + moved, s.failed) for s in found]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 500), st.integers(0, 300))
def test_calm_time_before_only_moves_the_spans(seed: int, lead: int, silent: int) -> None:
    failed, total = series((200, 20, 0.01), (60, 20, 0.7), (200, 20, 0.01), seed=seed)
    before = segments(failed, total)
    # without requests: seconds that say nothing must change nothing
    shifted = segments(np.append(np.zeros(silent), failed), np.append(np.zeros(silent), total))
    assert shape(shifted) == shape(before, silent)
    calm, traffic = series((lead, 20, 0.01), seed=seed + 1)
    longer = segments(np.append(calm, failed), np.append(traffic, total))
    assert len(longer) == len(before)
    for old, new in zip(before, longer, strict=True):
        for here, there in ((old.start_bin, new.start_bin - lead), (old.stop_bin, new.stop_bin - lead)):
            low, high = min(here, there), max(here, there)
            moved, usual = failed[low:high].sum(), 0.01 * total[low:high].sum()
            # a better known background may move an edge by a failure or two, or by a foot that is clearly more than itself
            assert moved <= 2 or moved > 1.5 * usual


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_reversed_time_mirrors_the_spans(seed: int) -> None:
    failed, total = series((300, 20, 0.01), (80, 20, 0.5), (200, 20, 0.01), seed=seed)
    there, back = segments(failed, total), segments(failed[::-1], total[::-1])
    # the background's first guess comes from blocks counted from the left: an edge may move by a neighbouring failure
    assert [s.start_bin for s in there] == [pytest.approx(580 - s.stop_bin, abs=5) for s in reversed(back)]
    assert [s.stop_bin for s in there] == [pytest.approx(580 - s.start_bin, abs=5) for s in reversed(back)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=200))
def test_spans_lie_in_order_inside_the_series(bins: list[tuple[int, int]]) -> None:
    failed = [min(pair) for pair in bins]
    total = [max(pair) for pair in bins]
    found = segments(failed, total)
    edges = [edge for s in found for edge in (s.start_bin, s.stop_bin)]
    assert edges == sorted(edges)
    assert all(0 <= s.start_bin < s.stop_bin <= len(bins) for s in found)
    assert all(s.onset[0] <= s.start_bin and s.stop_bin <= s.recovery[1] for s in found)
    assert all(s.failed == sum(failed[s.start_bin : s.stop_bin]) for s in found)


def test_rule_is_the_callers() -> None:
    failed, total = series((600, 20, 0), (120, 20, 0.5), (600, 20, 0))
    assert not segments(failed, total, rule=Rule(base_llr=1e6))
    assert segments(failed, total, rule=Rule(outage_count=1e6, outage_bins=10**6))[0].is_blip
