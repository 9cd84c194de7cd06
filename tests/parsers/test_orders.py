"""The order of numeric dates is decided for a log as a whole, with its reason; never row by row."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers.orders import DateOrder, in_order, numeric_date, plan_order, share


def at(iso: str) -> int:
    return int(datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()) * 1_000_000


def plan(*rows: str, **known) -> DateOrder | None:  # type: ignore[no-untyped-def]
    return plan_order([(line, row.encode()) for line, row in enumerate(rows, 1)], **known)


CASES = [
    (("11/10/2026 10:46:25 x", "28/10/2026 15:12:07 x"), {}, "dmy", "line 2 can be read in no other order"),
    (("10/11/2026 10:46:25 x", "10/28/2026 15:12:07 x"), {}, "mdy", "line 2 can be read in no other order"),
    (("08-01-2026 21:22:28 x", "08-15-2026 21:22:28 x"), {}, "mdy", "line 2 can be read in no other order"),
    (("05.04.2026 10:00:00 x", "06.03.2026 10:00:00 x"), {}, "mdy", "so the rows run forward"),
    (("03/04/2026 10:00:00 x", "04/04/2026 10:00:00 x", "05/04/2026 10:00:00 x"), {}, "dmy", "so the days follow one another"),
    (("17/06/09 20:10:40 INFO x", "17/06/10 20:10:40 INFO x"), {}, "ymd", "so the days follow one another"),
    (("29-08-26 20:10:40 x",), {"reference": at("2026-08-30")}, "dmy", "line 1 can be read in no other order"),
    (("05/06/2026 10:00:00 x",), {"reference": at("2026-06-05T12:00:00")}, "dmy", "so the last row is from shortly before the file's time"),
    (("05/06/2026 10:00:00 x",), {"reference": at("2026-05-06T12:00:00")}, "mdy", "so the last row is from shortly before the file's time"),
    (("05/06/2026 10:00:00 x",), {"window": (at("2026-06-05"), at("2026-06-06"))}, "dmy", "so rows lie in the window"),
    (("05/06/2026 10:00:00 x",), {}, "mdy", "assumed, as nothing in the log tells"),
    (("11,10/04/26,10:00:00,Started", "11,11/06/26,10:00:00,Started"), {}, "mdy", "assumed, as nothing in the log tells"),
    (("10:00:00 09/04/26,45,41", "10:00:10 09/04/26,47,44"), {}, "mdy", "assumed, as nothing in the log tells"),
    (("10:00:00 09/04/26,45,41", "10:00:10 14/04/26,47,44"), {}, "dmy", "line 2 can be read in no other order"),
    (("10:00:00 UTC 05/06/2026 x", "10:00:00 UTC 30/06/2026 x"), {}, "dmy", "line 2 can be read in no other order"),
    (("05.06.2026 10:00:00 x",), {}, "dmy", "assumed, as nothing in the log tells"),
    (("[05/06/2026 10:00:00] x", "ERROR 30/06/2026 10:00:00 x"), {}, "dmy", "line 2 can be read in no other order"),
]


@pytest.mark.parametrize(("rows", "known", "order", "reason"), CASES)
def test_order_and_its_reason(rows, known, order: str, reason: str) -> None:  # type: ignore[no-untyped-def]
    found = plan(*rows, **known)
    assert found is not None
    assert (found.order, found.reason) == (order, reason)


@pytest.mark.parametrize(
    "row", ["2026-11-23 10:40:29 due 05/06/2026 10:00", "no date", "1.2.3 released", "99/99/2026 10:40:29 x", "23/Nov/2026:10:40:29 x", "10:40:29 was 05/06/2026 10:00"]
)
def test_what_is_no_stamp_of_three_numbers_says_nothing(row: str) -> None:
    assert plan(row) is None
    assert "99" in row or numeric_date(row.encode()) is None


def test_the_parts_of_a_log_share_what_is_certain() -> None:
    sure, unsure = plan("28/10/2026 10:00:00 x"), plan("05/06/2026 10:00:00 x")
    assert [order.order for order in share([unsure, sure]) if order] == ["dmy", "dmy"]
    assert share([unsure, None]) == [unsure, None]


@given(st.lists(st.datetimes(datetime(2001, 1, 1), datetime(2026, 1, 1)), min_size=1, max_size=20), st.sampled_from(["mdy", "dmy"]))
def test_rows_in_order_are_never_read_backwards(times: list[datetime], order: str) -> None:
    form = {"mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y"}[order]
    found = plan(*[time.strftime(form + " %H:%M:%S") for time in sorted(times)])
    assert found is not None
    days = [in_order(found.order, *(int(n) for n in time.strftime(form).split("/"))) for time in sorted(times)]
    assert found.order == order or days == sorted(days)
    if found.reason.startswith("line"):
        assert found.order == order
