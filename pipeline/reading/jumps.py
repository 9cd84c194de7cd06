"""Where the times of a file jump: its clock was set back, or by whole hours; and the cuts that set such stretches apart.

A single row that is late, or two writers that take turns, are no jump: all of some rows before must lie after all of some
rows behind. Which of the two sides is right a file cannot tell by itself (`retrolog.pipeline.analysis.clocks.steps` asks the others).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

SECOND = 1_000_000
#: Times that go back by less are rows out of order.
LEAST = 4 * SECOND
#: Rows on either side of a jump that must agree on it, and how many of them must be there at the ends of a file.
BESIDE, FEWEST = 4, 2
#: A file whose times jump more often is not in order at all.
MOST = 12
_KEPT = 2 * BESIDE
#: A gap is a jump only where it is a multiple of half an hour, up to this much, and far above what is usual.
_HALF_HOUR, _NEAR, _UNUSUAL = 1800 * SECOND, 20 * SECOND, 20
#: The line of a cut that lies behind a file.
NEVER = 1 << 62
#: What a piece's number stands behind in the name of a source.
_MARK = "\x1f"


@dataclass(frozen=True, slots=True)
class Jump:
    """Rows from `line` on begin with the time `after`, where those before ended with `before` (microseconds UTC)."""

    line: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a file's next stretch begins: at a line, or with the first stamps from a time on."""

    line: int | None = None
    time: int | None = None


@dataclass(slots=True)
class Jumps:
    """Finds the jumps of a file, or of a piece of one, that is seen in blocks; those of pieces add up to those of the file.

    Rows near the ends of what was seen so far are looked at again when more is known, so it does not matter how a file is cut.
    """

    found: list[Jump] = field(default_factory=list)
    disordered: bool = False
    _head: list[tuple[int, int]] = field(default_factory=list)  # line and time of the first rows ...
    _tail: list[tuple[int, int]] = field(default_factory=list)  # ... and of the last ones

    def see(self, lines: Any, times: Any) -> None:
        """Takes the lines and times of the dated events of the next block."""
        import numpy as np

        if not len(times) or self.disordered:
            return
        if not (lines[1:] > lines[:-1]).all():
            order = np.argsort(lines, kind="stable")
            lines, times = lines[order], times[order]
        if len(self._head) < _KEPT:
            self._head += _rows(lines[:_KEPT], times[:_KEPT])[: _KEPT - len(self._head)]
        start = BESIDE
        if self._tail:
            start = max(BESIDE, len(self._tail) - BESIDE + 1)
            before_lines, before_times = zip(*self._tail, strict=True)
            lines, times = np.append(before_lines, lines), np.append(before_times, times)
        self._look(lines, times, start, len(times) - BESIDE)
        self._tail = _rows(lines[-_KEPT:], times[-_KEPT:])

    def all(self) -> tuple[Jump, ...]:
        """The jumps of all that was seen, those near its ends with the fewer rows that there are."""
        if self.disordered or not self._head:
            return ()
        whole = replace(self, found=list(self.found))
        whole._look(*_columns(self._head), FEWEST, min(len(self._head) - FEWEST, BESIDE - 1))
        whole._look(*_columns(self._tail), max(FEWEST, len(self._tail) - BESIDE + 1), len(self._tail) - FEWEST)
        return tuple(sorted(whole.found, key=lambda jump: jump.line))

    @classmethod
    def added(cls, pieces: Sequence[Jumps]) -> Jumps:
        """What was seen of a file whose pieces, in their order, were seen one by one."""
        whole = pieces[0] if pieces else cls()
        for later in pieces[1:]:
            whole = whole._joined(later)
        return whole

    def _joined(self, later: Jumps) -> Jumps:
        whole = replace(self, found=list(self.found), _head=list(self._head), _tail=list(self._tail))
        if later._head:
            whole.see(*_columns(later._head))
            whole._tail = (self._tail + later._head)[-_KEPT:] if len(later._tail) < _KEPT else list(later._tail)
        whole.found += [jump for jump in later.found if jump not in whole.found]
        whole.disordered |= later.disordered or len(whole.found) > MOST
        return whole

    def _look(self, lines: Any, times: Any, first: int, last: int) -> None:
        """Looks at the rows from one place to another, both within."""
        import numpy as np

        gap = times[1:] - times[:-1]
        odd = (gap <= -LEAST) | (gap >= _HALF_HOUR - _NEAR)
        if not odd.any():
            return
        for at in (np.flatnonzero(odd) + 1)[: 100 * MOST].tolist():
            if not first <= at <= last:
                continue
            one, two = times[max(0, at - BESIDE) : at], times[at : at + BESIDE]
            jump = Jump(int(lines[at]), int(one.max()), int(two.min()))
            back = one.min() - two.max() >= LEAST // 2
            if (back or _by_hours(jump, one, two)) and jump not in self.found:
                self.found.append(jump)
        if len(self.found) > MOST:
            self.found, self.disordered = [], True


def _by_hours(jump: Jump, one: Any, two: Any) -> bool:
    """Whether time goes on by whole half hours between rows that follow each other closely."""
    gap = jump.after - jump.before
    usual = max(float(part.max() - part.min()) / max(1, len(part) - 1) for part in (one, two))
    rest = gap % _HALF_HOUR
    return gap >= _HALF_HOUR - _NEAR and min(rest, _HALF_HOUR - rest) <= _NEAR and gap >= _UNUSUAL * max(usual, 1.0)


def _rows(lines: Any, times: Any) -> list[tuple[int, int]]:
    return list(zip(lines.tolist(), times.tolist(), strict=True))


def _columns(rows: Sequence[tuple[int, int]]) -> tuple[Any, Any]:
    import numpy as np

    lines, times = zip(*rows, strict=True)
    return np.array(lines, np.int64), np.array(times, np.int64)


def stretch_of(cuts: Sequence[Cut], lines: Any, times: Any) -> Any:
    """Which stretch each row belongs to: how many cuts lie before it."""
    import numpy as np

    number = np.zeros(len(lines), np.int32)
    for cut in cuts:
        number += (lines >= cut.line) if cut.line is not None else (times >= (cut.time or 0))
    return number


def piece_name(source: str, number: int) -> str:
    """The name under which a stretch of a source is counted while its clock is being looked for."""
    return f"{source}{_MARK}{number}"


def whole_name(name: str) -> str:
    """The source that a stretch is of; any other name as it is."""
    return name.partition(_MARK)[0]


def number_of(name: str) -> int | None:
    """The number of a stretch in its source, None for the name of a whole source."""
    _, mark, number = name.partition(_MARK)
    return int(number) if mark else None
