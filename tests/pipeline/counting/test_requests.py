"""Who asked is told by the user agent, under whatever key a log's records have it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retrolog.pipeline.counting.requests import mark

from ..traffic import START, events

CASES: list[tuple[dict[str, Any], bool]] = [
    ({"user_agent": "uptime-check/2"}, True), ({"request": {"headers": {"User-Agent": ["uptime-check/2"]}}}, True), ({"http_user_agent": "kube-probe/1.31"}, True),
    ({"req.headers.user-agent": "kube-probe/1.31"}, True), ({"userAgent": "uptime-check/2"}, True), ({"agent": "uptime-check/2"}, True), ({"ua": "kube-probe/1.31"}, True),
    ({"user_agent": 'say "x"', "note": "kube-probe/1.31"}, False), ({"reagent": "kube-probe/1.31"}, False), ({"ua": "Mozilla/5.0"}, False), ({}, False),
]  # fmt: skip


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize(("fields", "probe"), CASES)
def test_probes_are_known_by_their_agent(fields: dict[str, Any], probe: bool, separators: tuple[str, str]) -> None:
    row = {"time": START * 1_000_000, "message": "", "method": "GET", "path": "/a", "status": 200, "fields": json.dumps(fields, separators=separators)}
    assert mark(events([row]).combine_chunks()).probe.tolist() == [probe]
