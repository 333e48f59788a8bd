"""What is about to begin, and what was found about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ctexp.core.errors import DataError, PreflightError
from ctexp.core.gpu import Gpu, GpuState
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.plan.document import Plan
from ctexp.planning.schedule.schedule import Totals
from ctexp.record.git import GitState
from ctexp.record.manifest import Estimate


@dataclass(frozen=True)
class Place:
    """The project's folder, and those of its data and runs; absolute."""

    root: Path
    data: Path
    runs: Path


@dataclass(frozen=True)
class Intended:
    """A night that is about to begin.

    Attributes:
        jobs: that are left to do.
        costs: by job id.
        totals: of those that the window holds.
        source: the project's, as it stands.
        state: of the machine's GPUs; `gpu` is the one that the night will have, None for the processor.
        elsewhere: the jobs will run on other machines, about which nothing can be said here.
    """

    place: Place
    plan: Plan
    jobs: Sequence[CheckedJob]
    costs: Mapping[str, Estimate | None]
    totals: Totals
    source: GitState
    state: GpuState
    gpu: Gpu | None
    elsewhere: bool = False


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and whether the night can begin with it.

    Attributes:
        wrong: what kind of thing is not in order; None where it is.
        advice: what to do about it; empty where it is.
    """

    name: str
    said: str
    wrong: Literal["data", "machine"] | None = None
    advice: str = ""


def lines(findings: Iterable[Finding]) -> list[str]:
    """`GPU          NVIDIA RTX A4000, driver 550.54`: a line each.

    Raises:
        PreflightError: something is not in order; each such thing is a problem.
        DataError: nothing but data.
    """
    found = list(findings)
    wrong = [one for one in found if one.wrong]
    if wrong:
        problems = [f"{one.name}: {one.said}" + (f" ({one.advice})" if one.advice else "") for one in wrong]
        raise (DataError if all(one.wrong == "data" for one in wrong) else PreflightError)(problems)
    width = max(len(one.name) for one in found)
    return [f"{one.name:<{width}}  {one.said}" for one in found]
