"""What a person means by `--since`: yesterday, 8h, 3d, a date."""

import re
from datetime import datetime, timedelta

from ctexp.core.errors import UsageError

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_HINT = "write yesterday, today, 8h, 3d, 2w or a date such as 2026-11-20"


def since(said: str, now: datetime) -> datetime:
    """The moment from which on runs count.

    Args:
        said: `today` and `yesterday` begin at midnight, as a date does, by the clock on the wall.
        now: aware, in the time zone of that clock.

    Raises:
        UsageError: it means no moment, or one that is still to come.
    """
    moment = _meant(said.strip().lower(), now)
    if moment is None:
        problem = (
            f"--since: {said!r} has no unit"
            if said.strip().isdecimal()
            else f"--since: {said!r} is no moment"
        )
        raise UsageError(problem, _HINT)
    if moment > now:
        raise UsageError(f"--since: {said} is still to come", _HINT)
    return moment


def _meant(said: str, now: datetime) -> datetime | None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if said in {"today", "yesterday"}:
        return midnight - timedelta(days=said == "yesterday")
    try:
        if match := re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", said):
            return now - float(match[1]) * _UNITS[match[2]]
        if re.fullmatch(r"\d{4}-\d\d-\d\d", said):
            return datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=now.tzinfo)
    except (OverflowError, ValueError):
        return None
    return None
