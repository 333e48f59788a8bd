"""Texts of plans that are checked, and what is said of them."""

from collections.abc import Callable

from ctexp.planning.checking.checked import Checked
from tests.project import TINY

Check = Callable[[str], Checked]
COMMON = f"common: [{', '.join(TINY)}, git.dirty=warn]\n"
BASED = COMMON + "baseline: plain\nexperiments:\n  plain: {}\n"
SHOWN = "research/plans/night.yaml"


def lines(found: tuple[str, ...]) -> list[str]:
    return [line.removeprefix(f"{SHOWN}:") for line in found]
