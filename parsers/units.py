"""What the whole number counts that the rows of an access log end in: found out once for a log, never row by row.

Apache's `%D` is microseconds, Tomcat's milliseconds, `%T` seconds, and none of them is named in the row. A number is taken for how
long requests took where it can be nothing else, and its unit where only one fits: beside another number that is its whole seconds; where
rows whose stamp is the request's begin stand so far behind the rows around them; or by sizes that other units make impossible.
Where nothing tells, it is left alone, and that is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: Rows that must end in as many numbers before anything is told of them, and their share of all rows.
ROWS, SHARE = 100, 0.9
#: Rows that show another number to be the whole seconds of one.
WHOLE_SECONDS = 3
#: Nothing is answered in so few microseconds; requests are given up before so many seconds.
LEAST, LONGEST = 10, 600
#: Half of the requests of a service take less than so many seconds, and nearly all of them have some that take less than another.
USUAL, FAST = 10, 1
#: Durations have a long tail, and are seldom twice the same.
TAIL, DISTINCT, FEW = 3, 0.2, 20
#: Rows that took a second and more which show by where they stand how long that was, and how many of them must agree.
LATE, AGREE = 10, 0.7
_NAMES = {1e-6: "microseconds", 1e-3: "milliseconds", 1.0: "seconds"}


@dataclass(frozen=True, slots=True)
class Unit:
    """Which of the `count` whole numbers behind a row's request is its duration, how many seconds one is (0: not known), and why."""

    place: int
    count: int
    seconds: float
    reason: str

    @property
    def known(self) -> bool:
        """Whether durations can be read."""
        return self.seconds > 0

    def of(self, numbers: Sequence[int]) -> float | None:
        """The seconds that a row's numbers tell, None where they are not as in the log's other rows."""
        return numbers[self.place] * self.seconds if self.known and len(numbers) == self.count else None

    def __str__(self) -> str:
        which = "the whole number" if self.count == 1 else f"whole number {self.place + 1} of {self.count}"
        if not self.known:
            return f"{which} at the end of its rows may be how long a request took, but in which unit cannot be told, as {self.reason}: it is not used"
        return f"{which} at the end of its rows is taken as the request's duration in {_NAMES[self.seconds]}, as {self.reason}"


@dataclass(frozen=True, slots=True)
class Row:
    """What a row tells: the stretch of neighbouring rows it is of, its stamp in seconds, client, method, bytes served, and numbers."""

    stretch: int
    second: int
    client: str | None
    method: str | None
    size: int | None
    numbers: tuple[int, ...]


def plan_unit(rows: Iterable[Row]) -> Unit | None:
    """What the numbers of a log's rows are; None where no number is likely to be a duration."""
    rows = list(rows)
    counted = Counter(len(row.numbers) for row in rows)
    count, often = max(((c, n) for c, n in counted.items() if c), key=lambda item: item[1], default=(0, 0))
    if often < ROWS or often < SHARE * len(rows):
        return None
    rows = [row for row in rows if len(row.numbers) == count]
    for place in range(count):
        if (paired := _paired(rows, place, count)) is not None:
            return paired
    likely = [place for place in range(count) if _may_last(rows, place)]
    found = [unit for place in likely if (unit := _behind(rows, place, count)) is not None]
    found = found or [unit for place in likely if (unit := _by_size(rows, place, count)) is not None]
    if len(found) == 1:
        return found[0]
    if len(likely) == 1:
        return Unit(likely[0], count, 0, "its sizes fit more than one")
    return None


def share(units: Sequence[Unit | None]) -> list[Unit | None]:
    """The units of the parts of one log: what is known of one part holds for those that do not tell."""
    known = [unit for unit in units if unit is not None and unit.known]
    if not known or len({(unit.place, unit.count, unit.seconds) for unit in known}) > 1:
        return list(units)
    told = Unit(known[0].place, known[0].count, known[0].seconds, "the other parts of the log tell")
    return [unit if unit is not None and unit.known else told for unit in units]


def _paired(rows: Sequence[Row], place: int, count: int) -> Unit | None:
    """The unit of a number of which another one is the whole seconds."""
    for other in range(count):
        for each in (1_000_000, 1000):
            told = sum(row.numbers[other] >= 1 and row.numbers[place] // each == row.numbers[other] for row in rows)
            agree = sum(row.numbers[place] // each == row.numbers[other] for row in rows)
            if other != place and told >= WHOLE_SECONDS and agree >= 0.99 * len(rows):
                return Unit(place, count, 1 / each, "the number beside it is its whole seconds")
    return None


def _may_last(rows: Sequence[Row], place: int) -> bool:
    """Whether a number may be a duration: not what was sent, no counter, no address, nothing that has few values."""
    values = [row.numbers[place] for row in rows]
    if len(set(values)) < FEW:
        return False
    ordered = sorted(values)
    if _at(ordered, 0.99) < TAIL * max(1, _at(ordered, 0.5)):
        return False
    beside = [row.numbers[place] - row.size for row in rows if row.size is not None]
    if len(beside) >= ROWS and len(set(beside)) < DISTINCT * len(beside) and len(set(beside)) < len(set(values)):
        return False  # what was sent, with its header
    rising = [row.numbers[place] <= after.numbers[place] for row, after in pairwise(rows) if row.stretch == after.stretch]
    if rising and sum(rising) > 0.9 * len(rising):
        return False
    steps = _steps(rows, place)
    return not steps or sum(step == 1 for step in steps) < 0.5 * len(steps)


def _steps(rows: Sequence[Row], place: int) -> list[int]:
    """How far the number goes from one request of a client to its next: one, where requests of a connection are counted."""
    before: dict[tuple[int, str], int] = {}
    out = []
    for row in rows:
        if row.client is None:
            continue
        key = row.stretch, row.client
        if key in before:
            out.append(row.numbers[place] - before[key])
        before[key] = row.numbers[place]
    return out


def _behind(rows: Sequence[Row], place: int, count: int) -> Unit | None:
    """The unit in which rows stand as late as they took: their stamp is the request's begin, their place its end."""
    late: list[tuple[int, int]] = []  # number, seconds behind the latest row before
    stretch, now = None, 0
    for row in rows:
        if row.stretch != stretch:
            stretch, now = row.stretch, row.second
        else:
            late.append((row.numbers[place], now - row.second))
        now = max(now, row.second)
    for each in _NAMES:
        slow = [(number * each, behind) for number, behind in late if 1 <= number * each <= LONGEST]
        fast = [behind for number, behind in late if number * each < 0.2]
        if len(slow) < LATE or (fast and sum(fast) > 0.35 * len(fast)):
            continue
        agree = sum(abs(behind - took) <= max(1.2, 0.3 * took) for took, behind in slow)
        if agree >= AGREE * len(slow) and sum(behind for _, behind in slow) >= 0.6 * sum(took for took, _ in slow):
            return Unit(place, count, each, "rows that took long stand as much later than their stamps")
    return None


def _by_size(rows: Sequence[Row], place: int, count: int) -> Unit | None:
    """The one unit in which the sizes of a number are possible; seconds are never told by it: so are thousandths of a fast service."""
    reading = [row.numbers[place] for row in rows if row.method == "GET"]  # what is sent along is no longer than a header
    values = sorted(reading if len(reading) >= ROWS else [row.numbers[place] for row in rows])
    half, few, most = _at(values, 0.5), _at(values, 0.05), _at(values, 0.997)
    if _at(values, 0.01) >= LEAST:
        if most >= 1000 * LONGEST > 10 * half:
            return Unit(place, count, 1e-6, f"{most:,} milliseconds would be more than ten minutes")
        if half >= 1000 * USUAL and few >= 1000 * FAST:
            return Unit(place, count, 1e-6, f"in milliseconds half of the requests would have taken more than {half // 1000} s")
    elif half >= USUAL or _at(values, 0.99) >= LONGEST:
        if half < USUAL:
            return Unit(place, count, 1e-3, f"nothing takes {values[0]} microseconds, and {_at(values, 0.99):,} seconds would be more than ten minutes")
        return Unit(place, count, 1e-3, f"nothing takes {values[0]} microseconds, and in seconds half of the requests would have taken more than {half}")
    return None


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
