"""What a script takes, and what it does not."""

import pytest

from ctexp.core.errors import UsageError
from ctexp.queue.opening.options import parse

OURS = ("--plan", "research/plans/night.yaml", "--sha256", "0" * 64, "--script", "scripts/night.sh", "--")


def test_jobs_may_be_named_together_or_one_by_one() -> None:
    asked = parse([*OURS, "--only", "a,b", "--only", "c", "--only=a"])
    assert asked.only == ("a", "b", "c")
    assert (asked.name, asked.mode, asked.executor, asked.fresh) == ("night", "local", "local", False)


@pytest.mark.parametrize("flags", ["--bogus", "--resume --fresh", "--only", "extra", "--dry"])
def test_wrong_ones_are_one_line(flags: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse([*OURS, *flags.split()])
    assert len(raised.value.lines()) == 1
