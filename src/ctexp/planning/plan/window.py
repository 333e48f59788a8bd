"""The time there is: `8h`, `until 07:00`, `overnight`, `workday`, `weekend`, and when it begins.

8h                  from the start of the script on
until 07:00         the next time a clock on the wall here shows that
overnight           until 07:00
workday             until 18:00
weekend             until 07:00 on Monday
from 22:00 for 8h   begins at the next 22:00; any of the above may follow `from HH:MM`
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ctexp.core import durations
from ctexp.core.errors import UsageError

HINT = "write 8h, until 07:00, overnight, workday, weekend, or from 22:00 for 8h"

_NAMED = {"overnight": time(7), "workday": time(18)}
_MONDAY = time(7)
_LONG = timedelta(hours=16)
_CLOCK = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"
_FROM = re.compile(rf"from {_CLOCK} (.+)")
_UNTIL = re.compile(rf"until {_CLOCK}")


@dataclass(frozen=True)
class Window:
    """What is meant; `opens` says when that is.

    Attributes:
        said: as it was written.
        begins: by the clock on the wall; None for at once.
        seconds: how long, where that was said.
        until: its end by the clock on the wall, where that was said.
        weekday: of that end, 0 for Monday; None for the next one.
    """

    said: str
    begins: time | None = None
    seconds: float | None = None
    until: time | None = None
    weekday: int | None = None

    @property
    def longest(self) -> float:
        """Seconds that it has at most, whenever the script is started; summer time is not counted."""
        if self.until is None:
            return self.seconds or 0.0
        day = 86400.0
        if self.begins is None or self.weekday is not None:
            return day if self.weekday is None else 7 * day
        begins, until = (60.0 * (60 * one.hour + one.minute) for one in (self.begins, self.until))
        return (until - begins) % day or day

    def opens(self, now: datetime) -> tuple[datetime, datetime]:
        """When it begins and ends, by this machine's clock on the wall; its summer time is counted.

        Args:
            now: aware.

        Returns:
            Two aware moments, the first not before `now`.
        """
        start = now if self.begins is None else _next(now, self.begins)
        if self.until is None:
            return start, (start.astimezone(UTC) + timedelta(seconds=self.seconds or 0)).astimezone()
        return start, _next(start, self.until, self.weekday)

    def doubt(self, now: datetime) -> str:
        """What to think about at a start now: a clock time that has passed is tomorrow's; or nothing."""
        if self.until is None or self.begins is not None or self.weekday is not None:
            return ""
        start, end = (moment.astimezone() for moment in self.opens(now))
        if end - start <= _LONG:
            return ""
        return f"window {self.said}: it is {start:%H:%M} now, so it closes tomorrow, {end:%a %H:%M}"


def parse(said: str) -> Window:
    """What a plan's `window` means.

    Raises:
        UsageError: it means nothing; a number without a unit neither.
    """
    text = " ".join(said.lower().split())
    begins = None
    if match := _FROM.fullmatch(text):
        begins = time(int(match[1]), int(match[2]))
        text = match[3].removeprefix("for ")
    if text in _NAMED:
        return Window(said, begins, until=_NAMED[text])
    if text == "weekend":
        return Window(said, begins, until=_MONDAY, weekday=0)
    if match := _UNTIL.fullmatch(text):
        return Window(said, begins, until=time(int(match[1]), int(match[2])))
    try:
        seconds = durations.seconds(text)
    except UsageError as error:
        unitless = "has no unit" in str(error)
        raise UsageError(str(error) if unitless else f"{said!r} is no window", HINT) from error
    if not seconds:
        raise UsageError(f"{said!r} is no time at all", HINT)
    return Window(said, begins, seconds=seconds)


def _next(after: datetime, clock: time, weekday: int | None = None) -> datetime:
    """The next moment at which a clock on the wall shows `clock`."""
    day = after.astimezone().date()
    while True:
        its = [moment for moment in _moments(day, clock) if moment > after]
        if its and weekday in (None, day.weekday()):
            return its[0]
        day += timedelta(days=1)


def _moments(day: date, clock: time) -> list[datetime]:
    """When clocks on the wall show it that day: twice where put back, an hour later where put forward."""
    both = {datetime.combine(day, clock.replace(fold=fold)).astimezone(UTC) for fold in (0, 1)}
    moments = sorted(moment.astimezone() for moment in both)
    return [moment for moment in moments if moment.time() == clock] or moments[-1:]
