"""Times in a dump, which may be anything: a wrong clock, a zero, an edited file. An age is told only where it can be true."""

from __future__ import annotations

from datetime import datetime, timezone

from krm_fn.base.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = 86400
_FIRST = 1388534400  # 2014: there was no Kubernetes before
_LAST = 4102444800  # 2100: a server with such a clock has no valid certificate


class Span(Record):
    """The times that are believed, both ends included."""

    first: int
    last: int

    def holds(self, time: int | None) -> bool:
        """Return whether a time is believed; None never is."""
        return time is not None and self.first <= time <= self.last


def until(now: int) -> Span:
    """Return the times that can be true at a time; clocks may differ by a day."""
    return Span(first=_FIRST, last=min(now, _LAST) + DAY)


def usual(reports: Sequence[int], now: int) -> int:
    """Return the time at which agents usually reported last, by their own clocks; `now` where fewer than two say.

    It tells the time of a dump where the clock that reads it is wrong, and one agent's wrong clock does not change it.
    """
    plausible = sorted(time for time in reports if _FIRST <= time < _LAST)
    return plausible[(len(plausible) - 1) // 2] if len(plausible) > 1 else now


def age(seconds: int) -> str:
    """Return a span of time as kubectl does, in its largest unit."""
    for size, unit in ((DAY, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def clock(seconds: int) -> str:
    """Return a time for people, in UTC."""
    return f"{stamp(seconds).replace('T', ' ').removesuffix('Z')} UTC"


def stamp(seconds: int) -> str:
    """Return a time as RFC 3339."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
