"""Clocks that disagree: found from ids, from requests that look alike, from counts, and never from nothing."""

from __future__ import annotations

import numpy as np
import pytest

from retrolog.pipeline.analysis.clocks.offsets import (
    Evidence,
    Offset,
    between,
    by_counts,
    by_ids,
    by_keys,
    estimate,
)

START = 1_795_431_600.0


def requests(seed: int, seconds: float = 400, rate: float = 20) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return START + np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))


def refused(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A site's requests, and the errors of those that its database refused in the middle two minutes."""
    times = requests(seed)
    inside = (times > START + 110) & (times < START + 238)
    hit = inside & (np.random.default_rng(seed + 1).random(len(times)) < 0.65)
    return times, times[hit]


def delayed(times: np.ndarray, seed: int, share: float = 1.0, delay: float = 0.01) -> np.ndarray:
    """The same events as another program saw them: some of them, a little later."""
    rng = np.random.default_rng(seed)
    seen = times[rng.random(len(times)) < share]
    return np.sort(seen + rng.exponential(delay, len(seen)))


SKEWS = [-38.0, 0.0, 2.4, 512.0, -3600.0, 19_800.0, 7200.0 - 38.0]


@pytest.mark.parametrize("skew", SKEWS)
def test_errors_of_two_hosts_tell_their_clocks_apart(skew: float) -> None:
    """A database refuses connections and logs it 38 s late: the web host logs an error for each of them."""
    served, errors = refused()
    web = Evidence(series={"requests": np.floor(served), "errors of the application": errors})
    database = Evidence(series={"errors": delayed(errors, 5) + skew, "all": delayed(errors, 5) + skew})
    found = estimate({"web": web, "database": database}, reference="web")["database"]
    assert found.sure
    assert found.seconds == pytest.approx(skew, abs=0.3)
    assert abs(found.seconds - skew) <= found.error
    assert found.z >= 8
    assert found.pairs > 100


@pytest.mark.parametrize("skew", [-38.0, 0.0, 3600.0])
def test_whole_seconds_and_a_share_of_the_requests(skew: float) -> None:
    times = requests(3)
    other = delayed(times, 4, share=0.5) + skew
    found = between(
        Evidence(series={"requests": np.floor(times)}),
        Evidence(series={"requests": np.floor(other)}),
    )
    assert found is not None
    assert found.seconds == pytest.approx(skew, abs=1.0)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("whole", [False, True])
def test_unrelated_logs_say_nothing(seed: int, whole: bool) -> None:
    one, other = requests(seed), requests(seed + 100, rate=7)
    bursts = np.sort(
        np.repeat(requests(seed + 200, rate=0.2), 12) + np.random.default_rng(seed).exponential(1.0, 1)[0]
    )
    series = [one, other, bursts]
    if whole:
        series = [np.floor(times) for times in series]
    found = estimate(
        {
            "a": Evidence(series={"requests": series[0]}),
            "b": Evidence(series={"requests": series[1], "errors": series[2]}),
        }
    )
    assert not any(offset.sure for offset in found.values())


def test_a_rhythm_that_both_have_is_not_a_skew() -> None:
    beat = START + np.arange(0, 7200, 60.0)
    found = by_counts(beat + 0.2, beat + 20.0)
    assert found is None or not found.sure


def test_similar_outages_without_shared_events_are_not_a_skew() -> None:
    """Two hosts that failed for two minutes each, forty seconds apart, need not have clocks that differ."""
    _, one = refused(1)
    _, other = refused(7)
    found = by_counts(one, other + 40)
    assert found is None or not found.sure


def test_equal_clocks_win_over_a_delay() -> None:
    """Requests that time out after 30 s are errors 30 s after they began: the clocks are equal all the same."""
    times = requests(5)
    web = Evidence(series={"requests": times, "errors": times[::3] + 30.0})
    backend = Evidence(series={"requests": delayed(times, 6), "started": times[::3]})
    found = between(web, backend)
    assert found is not None
    assert found.seconds == pytest.approx(0.0, abs=0.3)


def test_request_ids() -> None:
    times = requests(8)[:200]
    names = np.arange(200)
    other = times + 12.5 + np.random.default_rng(9).exponential(0.02, 200)
    found = by_ids((names, times), (names[50:], other[50:]))
    assert found is not None
    assert found.sure
    assert found.pairs == 150
    assert found.seconds == pytest.approx(12.5, abs=0.05)
    assert by_ids((names, times), (names + 1000, times)) is None
    few = by_ids((names[:3], times[:3]), (names[:3], times[:3]))
    assert few is not None
    assert not few.sure


def test_ids_that_name_different_things_are_not_believed() -> None:
    rng = np.random.default_rng(10)
    found = by_ids(
        (np.arange(50), START + rng.uniform(0, 400, 50)), (np.arange(50), START + rng.uniform(0, 400, 50))
    )
    assert found is not None
    assert not found.sure


def test_requests_that_look_alike() -> None:
    times = requests(11, rate=5)
    keys = np.random.default_rng(12).integers(0, 300, len(times))
    found = by_keys((keys, np.floor(times)), (keys[::2], np.floor(times[::2] - 38)))
    assert found is not None
    assert found.sure
    assert found.seconds == pytest.approx(-38, abs=1)
    assert by_keys((keys, times), (keys + 1000, times)) is None


@pytest.mark.parametrize(
    ("seconds", "zone", "skew"),
    [
        (-38, 0, -38),
        (3600, 3600, 0),
        (3562, 3600, -38),
        (-19_800, -19_800, 0),
        (20_700, 20_700, 0),
        (450, 0, 450),
    ],
)
def test_zone_and_skew(seconds: float, zone: float, skew: float) -> None:
    offset = Offset(seconds, 0.1, 20, 100, "counts", True)
    assert (offset.zone, offset.skew) == (zone, skew)


def test_shift_of_both_changes_nothing() -> None:
    _, errors = refused()
    other = delayed(errors, 5) - 38
    here, there = by_counts(errors, other), by_counts(errors + 86_400, other + 86_400)
    assert here is not None
    assert there is not None
    assert there.seconds == pytest.approx(here.seconds, abs=0.01)
    back = by_counts(other, errors)
    assert back is not None
    assert back.seconds == pytest.approx(-here.seconds, abs=0.05)


def test_a_third_host_is_reached_through_the_second() -> None:
    served, errors = refused()
    between_them = requests(20)
    hosts = {
        "web": Evidence(series={"errors": errors, "requests": served}),
        "app": Evidence(series={"errors": delayed(errors, 5) + 5, "calls": between_them + 5}),
        "store": Evidence(series={"calls": delayed(between_them, 6) - 60}),
    }
    found = estimate(hosts, reference="web")
    assert found["app"].seconds == pytest.approx(5, abs=0.3)
    assert found["store"].seconds == pytest.approx(-60, abs=0.5)
    assert found["store"].note == "by way of app"
    assert "web" not in found


def test_nothing_to_go_by() -> None:
    assert estimate({}) == {}
    assert estimate({"a": Evidence(), "b": Evidence()}) == {}
    assert between(Evidence(series={"x": [START]}), Evidence(series={"x": [START]})) is None
    assert by_counts([START] * 100, [START] * 100) is None
    assert by_counts([], []) is None
    assert by_counts([np.nan] * 20, requests(1)) is None
