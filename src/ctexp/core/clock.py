"""Time: UTC for records, a monotonic clock for durations."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """This moment in UTC, aware."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`2026-11-21T05:04:17.123Z`: sortable, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(moment: datetime) -> str:
    """`20261121-050417`: the form that stands in directory names."""
    return moment.astimezone(UTC).strftime("%Y%m%d-%H%M%S")


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`: a duration a person reads at a glance."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = timedelta(seconds=round(seconds))
    minutes, rest = divmod(int(whole.total_seconds()), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
