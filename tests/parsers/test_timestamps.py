"""Times as they are written, to UTC. The table is (text, zone, expected, why); what is assumed is counted."""

import os
import time as clock
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.parsers.timestamps import TimeContext, epoch_time, match_time, read_time

BERLIN, NEW_YORK, KOLKATA, SHANGHAI = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Shanghai")
)


def micros(iso: str) -> int:
    return (datetime.fromisoformat(iso) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


TABLE = [
    ("2026-11-23T10:40:29Z", UTC, "2026-11-23T10:40:29Z", "RFC 3339"),
    ("2026-11-23T10:40:29.123456789Z", UTC, "2026-11-23T10:40:29.123456Z", "nine digits are cut, not rounded"),
    ("2026-11-23T10:40:29.1Z", UTC, "2026-11-23T10:40:29.100000Z", "one digit is tenths"),
    ("2026-11-23 10:40:29,123", UTC, "2026-11-23T10:40:29.123Z", "a comma before the fraction (Python, Java)"),
    ("2026-11-23T10:40:29+01:00", UTC, "2026-11-23T09:40:29Z", "offset with a colon"),
    ("2026-11-23T10:40:29+0530", UTC, "2026-11-23T05:10:29Z", "half-hour offset without a colon"),
    ("2026-11-23 10:40:29 -0500", UTC, "2026-11-23T15:40:29Z", "offset after a space"),
    ("2026-11-23 10:40:29-03", UTC, "2026-11-23T13:40:29Z", "offset of hours only (PostgreSQL)"),
    ("2026-11-23 10:40:29.343 CET", NEW_YORK, "2026-11-23T09:40:29.343Z", "a zone word beats the source's zone"),
    ("2026-07-23 10:40:29 PDT", UTC, "2026-07-23T17:40:29Z", "US summer time"),
    ("2026-07-23 10:40:29 AEST", UTC, "2026-07-23T00:40:29Z", "Australia"),
    ("2026-11-23 10:40:29 UTC+2", UTC, "2026-11-23T08:40:29Z", "a word with an offset"),
    ("2026-11-23 10:40:29 IST", KOLKATA, "2026-11-23T05:10:29Z", "an ambiguous word is the source's own"),
    ("2026-11-23 10:40:29 IST", ZoneInfo("Asia/Jerusalem"), "2026-11-23T08:40:29Z", "Israel writes IST too"),
    ("2026-11-23 10:40:29 CST", SHANGHAI, "2026-11-23T02:40:29Z", "China writes CST"),
    ("2026-11-23 10:40:29 CST", UTC, "2026-11-23T16:40:29Z", "else CST is RFC 2822's"),
    ("2026-11-23T10:40:29+01:00[Europe/Paris]", UTC, "2026-11-23T09:40:29Z", "java.time.ZonedDateTime"),
    ("2026-11-23T10:40:29[Europe/Paris]", UTC, "2026-11-23T09:40:29Z", "... the region alone"),
    ("2026-11-23T10:40:29Z[UTC]", BERLIN, "2026-11-23T10:40:29Z", "... and UTC's name"),
    ("2026-W48-1T10:40:29Z", UTC, "2026-11-23T10:40:29Z", "ISO 8601 week date"),
    ("2026W487T104029.5+0100", UTC, "2026-11-29T09:40:29.5Z", "... and basic"),
    ("2026-W53-7T10:40:29Z", UTC, "2027-01-03T10:40:29Z", "... whose year is the week's"),
    ("2026-327T10:40:29Z", UTC, "2026-11-23T10:40:29Z", "ISO 8601 ordinal date"),
    ("2026327T104029Z", UTC, "2026-11-23T10:40:29Z", "... and basic"),
    ("2026-11-23T10:40Z", UTC, "2026-11-23T10:40:00Z", "minutes only"),
    ("20261123T104029Z", UTC, "2026-11-23T10:40:29Z", "ISO 8601 basic"),
    ("20261123-10:40:29:606", UTC, "2026-11-23T10:40:29.606Z", "a colon before the milliseconds"),
    ("2026/11/23 10:40:29", BERLIN, "2026-11-23T09:40:29Z", "nginx error log, Go"),
    ("2026-11-23_10:40:29.12345", UTC, "2026-11-23T10:40:29.12345Z", "svlogd -tt"),
    ("2005-06-03-15.42.50.675872", UTC, "2005-06-03T15:42:50.675872Z", "dots in the time of day"),
    ("23/Nov/2026:10:40:29 +0100", UTC, "2026-11-23T09:40:29Z", "common log format"),
    ("06/Feb/2009:12:14:14.655", UTC, "2009-02-06T12:14:14.655Z", "haproxy"),
    ("23-Nov-2026 10:40:29.123", UTC, "2026-11-23T10:40:29.123Z", "Tomcat, BIND"),
    ("23-Nov-2026 10:40:29 Europe/Berlin", UTC, "2026-11-23T09:40:29Z", "PHP names the zone"),
    ("23-Nov-2026::10:40:29", UTC, "2026-11-23T10:40:29Z", "Erlang"),
    ("23 Nov 2026 10:40:29.318", UTC, "2026-11-23T10:40:29.318Z", "Redis"),
    ("Mon Nov 23 10:40:29.902022 2026", UTC, "2026-11-23T10:40:29.902022Z", "Apache 2.4 error log"),
    ("Mon Nov 23 10:40:29 CET 2026", UTC, "2026-11-23T09:40:29Z", "date(1)"),
    ("Mon, 23 Nov 2026 10:40:29 GMT", UTC, "2026-11-23T10:40:29Z", "RFC 822"),
    ("Nov 23, 2026 1:40:29 PM", UTC, "2026-11-23T13:40:29Z", "java.util.logging"),
    ("Nov 23, 2026 12:00:01 AM", UTC, "2026-11-23T00:00:01Z", "twelve at night"),
    ("Nov 23 2026 10:40:29", UTC, "2026-11-23T10:40:29Z", "Cisco ASA"),
    ("2026 Nov 23 10:40:29.123 CET", UTC, "2026-11-23T09:40:29.123Z", "Cisco NX-OS"),
    ("17/06/09 20:10:40", UTC, "2017-06-09T20:10:40Z", "Spark: year first"),
    ("11/23/2026 10:40:29 AM", UTC, "2026-11-23T10:40:29Z", "US order"),
    ("23/11/2026 10:40:29", UTC, "2026-11-23T10:40:29Z", "23 is no month"),
    ("23.11.2026 10:40:29", UTC, "2026-11-23T10:40:29Z", "German order"),
    ("081109 203615", UTC, "2008-11-09T20:36:15Z", "HDFS"),
    ("261123  1:05:30", UTC, "2026-11-23T01:05:30Z", "MySQL 5.5"),
    ("@4000000037c219bf2ef02e94", UTC, "1999-08-24T04:04:05.787492Z", "TAI64N: the example of multilog's manual"),
    ("1763893229", BERLIN, "2025-11-23T10:20:29Z", "seconds"),
    ("+1763893229", BERLIN, "2025-11-23T10:20:29Z", "... with a sign"),
    ("1763893229.123456", BERLIN, "2025-11-23T10:20:29.123456Z", "seconds with a fraction, exactly"),
    ("1763893229123", UTC, "2025-11-23T10:20:29.123Z", "milliseconds"),
    ("1763893229123456", UTC, "2025-11-23T10:20:29.123456Z", "microseconds"),
    ("1763893229123456789", UTC, "2025-11-23T10:20:29.123456Z", "nanoseconds"),
    ("2026-11-23t10:40:29z", UTC, "2026-11-23T10:40:29Z", "RFC 3339, 5.6: small letters are allowed"),
    ("2026-11-23;10:40:29", UTC, "2026-11-23T10:40:29Z", "date and time in columns of their own"),
    ("2026-11-23][10:40:29", UTC, "2026-11-23T10:40:29Z", "in brackets of their own"),
    ("2026-11-23-10.40.29.123456+060", UTC, "2026-11-23T09:40:29.123456Z", "DB2 writes the offset in minutes"),
    ("2026-11-23 10.40.29", UTC, "2026-11-23T10:40:29Z", "dots in the time of day after a space"),
    ("2026:11:23 10:40:29", UTC, "2026-11-23T10:40:29Z", "colons in the date"),
    ("23Nov2026 10:40:29.123", UTC, "2026-11-23T10:40:29.123Z", "Minecraft Forge"),
    ("23/11/2026 -- 10:40:29", UTC, "2026-11-23T10:40:29Z", "Suricata"),
    ("23.11.26 10:40:29", UTC, "2026-11-23T10:40:29Z", "German order, short year"),
    ("23.11.2026 10:40", UTC, "2026-11-23T10:40:00Z", "German order, minutes only"),
    ("11/23/2026 10:40 PM", UTC, "2026-11-23T22:40:00Z", "US order, minutes only"),
    ("Monday, 23-Nov-26 10:40:29 GMT", UTC, "2026-11-23T10:40:29Z", "RFC 850"),
    ("Mon 23 Nov 10:40:29 CET 2026", UTC, "2026-11-23T09:40:29Z", "date(1) of other locales"),
    ("20261123 104029", UTC, "2026-11-23T10:40:29Z", "Sophos"),
    ("2026-11-23T10:40:29+05:45", UTC, "2026-11-23T04:55:29Z", "Nepal"),
    ("2026-11-23T10:40:29+1400", UTC, "2026-11-22T20:40:29Z", "Kiritimati"),
    ("2026-11-23 10:40:29 NST", UTC, "2026-11-23T14:10:29Z", "Newfoundland"),
    ("2016-12-31T23:59:60Z", UTC, "2017-01-01T00:00:00Z", "a leap second is the next second"),
    ("2024-02-29 12:00:00", UTC, "2024-02-29T12:00:00Z", "leap day"),
    ("2026-11-23 10:40:29 -03", UTC, "2026-11-23T13:40:29Z", "PostgreSQL's %m in a zone without a word"),
    ("2026-11-23T10:40:29\u221205:00", UTC, "2026-11-23T15:40:29Z", "ISO 8601, 3.4.1: a true minus sign"),
    ("2026-11-23 10:40:29.5pst", UTC, "2026-11-23T18:40:29.5Z", "a zone word in small letters, without a blank"),
    ("2026-11-23 10:40:29 WITA", UTC, "2026-11-23T02:40:29Z", "Central Indonesia"),
    ("MON NOV 23 10:40:29 2026", UTC, "2026-11-23T10:40:29Z", "capitals"),
    ("mon. nov. 23 10:40:29 2026", UTC, "2026-11-23T10:40:29Z", "small letters and full stops"),
    ("Monday, November 23 2026 10:40:29", UTC, "2026-11-23T10:40:29Z", "whole names"),
    ("Mon Nov 23 10:40:29 2026 -0700", UTC, "2026-11-23T17:40:29Z", "a zone behind the year"),
    ("Mon Nov 23 10:40:29 +03 2026", UTC, "2026-11-23T07:40:29Z", "a zone before the year"),
    ("2026 Nov 23 10:40:29 +01:00", UTC, "2026-11-23T09:40:29Z", "year, month's name, day, zone"),
    ("23/sept./2026:10:40:29 +0200", UTC, "2026-09-23T08:40:29Z", "a French locale"),
    ("23/Mai/2026:10:40:29 +0200", UTC, "2026-05-23T08:40:29Z", "a German locale"),
    ("ao\u00fbt 23 2026 10:40:29", UTC, "2026-08-23T10:40:29Z", "a French locale, month first"),
    ("23-Nov-26 10:40:29", UTC, "2026-11-23T10:40:29Z", "two digits of a year after a month's name"),
    ("Nov-23-26 10:40:29", UTC, "2026-11-23T10:40:29Z", "ASSP"),
    ("29-08-26 10:40:29", UTC, "2026-08-29T10:40:29Z", "29-08-26 begins with no year"),
    ("11/23/2026 - 10:40:29", UTC, "2026-11-23T10:40:29Z", "Source engine"),
    ("11/23/2026 10:40.29.262", UTC, "2026-11-23T10:40:29.262Z", "Windows driver framework"),
    ("2026\\2\\3 4:05:07 AM", UTC, "2026-02-03T04:05:07Z", "backslashes"),
    ("2026-11-23 10-40-29", UTC, "2026-11-23T10:40:29Z", "dashes in the time of day"),
    ("2026-11-23T104029-01:00", UTC, "2026-11-23T11:40:29Z", "an ISO date with a basic time"),
    ("2026-2-3+4-5-6.791", UTC, "2026-02-03T04:05:06.791Z", "dashes without padding"),
    ("20261123:104029.123 -1100", UTC, "2026-11-23T21:40:29.123Z", "basic with a colon"),
    ("11/23/2026 13:40:29 PM", UTC, "2026-11-23T13:40:29Z", "a clock of 24 hours with a word of twelve"),
]  # fmt: skip

NOT_TIMES = [
    ("2023-02-29 12:00:00", "no leap year"),
    ("2026-13-01 12:00:00", "no month 13"),
    ("2026-11-23 25:00:00", "no hour 25"),
    ("10:40:29", "no date"),
    ("2026-11-23", "no time of day"),
    ("12345", "too small an epoch"),
    ("99999999999999999999", "too large an epoch"),
    ("Nov 23, 2026 0:40:29 AM", "no hour 0 on a clock of twelve"),
    ("", "nothing"),
]


@pytest.mark.parametrize(("text", "zone", "expected", "why"), TABLE, ids=[row[0] + "|" + row[3] for row in TABLE])
def test_table(text: str, zone, expected: str, why: str) -> None:  # type: ignore[no-untyped-def]
    reading = read_time(text, TimeContext(zone=zone))
    assert reading is not None, why
    assert reading[1] == micros(expected), why


@pytest.mark.parametrize(("text", "why"), NOT_TIMES, ids=[why for _, why in NOT_TIMES])
def test_no_times(text: str, why: str) -> None:
    assert read_time(text, TimeContext()) is None, why


def test_what_was_assumed_is_counted() -> None:
    context = TimeContext()
    for text in ("2026-11-23T10:40:29Z", "2026-11-23 10:40:29", "2026-11-23 10:40:29", "1763893229"):
        reading = read_time(text, context)
        assert reading is not None
        context.accept(reading[1])
    assert context.counts == {"own_offset": 1, "zone_less": 2, "epoch": 1}


def test_the_doubled_hour_is_told_by_the_order_of_rows() -> None:
    context = TimeContext(zone=BERLIN)
    seen = []
    for text in ("01:59:00", "02:10:00", "02:50:00", "02:05:00", "02:50:00", "03:00:00"):
        reading = read_time(f"2026-10-25 {text}", context)
        assert reading is not None
        context.accept(reading[1])
        seen.append(reading[1])
    expected = ["24T23:59", "25T00:10", "25T00:50", "25T01:05", "25T01:50", "25T02:00"]
    assert seen == [micros(f"2026-10-{moment}:00Z") for moment in expected]
    assert context.counts["doubled_hour"] == 4
    assert context.counts["doubled_hour_second"] == 2


def test_a_row_a_little_late_stays_in_the_first_pass() -> None:
    context = TimeContext(zone=BERLIN)
    for text, expected in (("02:10:05", "00:10:05"), ("02:10:01", "00:10:01")):
        reading = read_time(f"2026-10-25 {text}", context)
        assert reading is not None
        context.accept(reading[1])
        assert reading[1] == micros(f"2026-10-25T{expected}Z")


def test_the_hour_that_never_was_is_counted() -> None:
    context = TimeContext(zone=BERLIN)
    reading = read_time("2026-03-29 02:30:00", context)
    assert reading is not None
    context.accept(reading[1])
    assert reading[1] == micros("2026-03-29T01:30:00Z")
    assert context.counts["skipped_hour"] == 1


def test_match_says_where_the_stamp_ends() -> None:
    text = "x 2026-11-23 10:40:29 +0100 rest"
    reading = match_time(text, 2, TimeContext())
    assert reading is not None
    assert text[reading[0] :] == " rest"


def test_the_machines_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [read_time(text, TimeContext(zone=zone)) for text, zone, _, _ in TABLE]
    saved = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "Pacific/Apia")
    clock.tzset()
    try:
        after = [read_time(text, TimeContext(zone=zone)) for text, zone, _, _ in TABLE]
    finally:
        monkeypatch.undo()
        assert os.environ.get("TZ") == saved
        clock.tzset()
    assert before == after


@given(st.datetimes(datetime(1980, 1, 1), datetime(2199, 1, 1)), st.sampled_from([BERLIN, NEW_YORK, KOLKATA, UTC]))
def test_every_local_time_is_what_the_zone_database_says(moment: datetime, zone) -> None:  # type: ignore[no-untyped-def]
    reading = read_time(moment.isoformat(" ", "microseconds"), TimeContext(zone=zone))
    assert reading is not None
    assert reading[1] == micros(moment.replace(tzinfo=zone).isoformat())


@given(st.integers(1_000_000_000, 4_000_000_000))
def test_epochs_are_told_by_magnitude(seconds: int) -> None:
    assert {epoch_time(seconds * 10**power) for power in (0, 3, 6, 9)} == {seconds * 10**6}


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    read_time(text, TimeContext(reference=0))


def test_words_of_several_zones_are_counted() -> None:
    context = TimeContext()
    for text in ("2026-11-23 10:40:29 IST", "2026-11-23 10:40:29 CET"):
        read_time(text, context)
        context.accept(None)
    assert context.counts["word:IST"] == 1
    assert not any(kind == "word:CET" for kind in context.counts)
