"""Whether a word in a person's place is a person."""

from __future__ import annotations

import pytest

from retrolog.pipeline.drafting.persons import given_away, is_software

NOBODY = [
    "worker started by pid 4312",
    "worker 3 killed by signal 9",
    "shutdown initiated by SIGTERM",
    "session started by uid 0",
    "triggered by alert checkout-latency",
    "rows ordered by time",
    "certificate issued by Let's Encrypt",
    "CN=R3, issued by: CN=ISRG Root X1",
    "executed by thread-3",
    "executed by ThreadPoolExecutor",
    "run by process 12",
    "launched by task 12",
    "build triggered by push",
    "released by v2.3",
    "restarted by systemd-logind",
    "deployed by shop-ci",
    "approved by GitHub Actions",
    "login: ok",
    "operator: equals",
    "connection authorized: user=shop database=shop",
    'user="billing" db="billing"',
]
SOMEBODY = [
    ("deploy requested by oksana", "oksana"),
    ("merged by Oksana Levy", "Oksana Levy"),
    ("rolled back by j.doe", "j.doe"),
    ("approved by Marie-Claire", "Marie-Claire"),
    ("acknowledged by McDonald", "McDonald"),
    ("restarted by oksana 3 times", "oksana"),
    ("connection authorized: user=oksana database=shop", "oksana"),
    ("command issued by oksana", "oksana"),
    ("signed off by oksana's team", "oksana"),
]


@pytest.mark.parametrize("line", NOBODY)
def test_what_software_does_names_nobody(line: str) -> None:
    assert given_away(line) == []


@pytest.mark.parametrize(("line", "name"), SOMEBODY)
def test_people_are_found_by_their_place(line: str, name: str) -> None:
    assert given_away(line) == [name]


@pytest.mark.parametrize("word", ["x", "root", "SIGHUP", "v1", "GitHub", "report-worker", "nightly.job", "WWW-Data"])
def test_software(word: str) -> None:
    assert is_software(word)


@pytest.mark.parametrize("word", ["oksana", "Jean-Pierre", "o.levy", "DeVries", "al"])
def test_people(word: str) -> None:
    assert not is_software(word)
