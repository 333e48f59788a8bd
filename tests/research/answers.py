"""Records of handlers that never ran: whole, valid, resting on what is there, and easy to vary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctexp.record.git import GitState
from ctexp.research.basis import today
from ctexp.research.figures import Cited, Derived, Figure
from ctexp.research.places import Places
from ctexp.research.plan.load import load
from ctexp.research.record import Answer, Broken
from tests.record import samples

HANDLER = "def e_part(runner):\n    return {}\n"


def figure(value: float, spread: float = 0.0, **changes: Any) -> Figure:
    """A mean over three runs, with an interval of the same width to both sides."""
    source = Derived(formula="mean", of=tuple(of_run(run, value) for run in ("net_1", "net_2", "net_3")))
    fields: dict[str, Any] = {"value": value, "low": value - spread, "high": value + spread, "source": source}
    return Figure(**fields | changes)


def of_run(run: str, value: float) -> Figure:
    """A number of one run."""
    file = f"{run}/metrics.json"
    return Figure(value=value, source=Cited(file=file, run=run, sha256=samples.HASH, key=("val", "macro_f1")))


def plan(root: Path, text: str) -> None:
    """Write the plan of a project."""
    file = Places(root).plan
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def handler(root: Path, experiment: str, sub: str, text: str = HANDLER) -> Path:
    """Write a handler."""
    file = Places(root).handler(experiment, sub)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def answer(
    root: Path, experiment: str, sub: str, metrics: Mapping[str, Figure] | None = None, **changes: Any
) -> Answer:
    """Write a record that rests on the plan and the handler as they are; the handler is made if need be."""
    if not Places(root).handler(experiment, sub).exists():
        handler(root, experiment, sub)
    its = load(Places(root).plan, "plan.yaml").experiments[experiment]
    fields: dict[str, Any] = {
        "experiment": experiment,
        "sub": sub,
        "function": "e_part",
        "state": "completed",
        "metrics": dict(metrics or {}),
        "basis": today(root, root / "data", its, sub, None),
        "git": GitState(commit=samples.COMMIT, branch="main", dirty=False),
        "started": samples.BEGIN,
        "ended": samples.END,
        "seconds": 725.0,
    }
    made = Answer(**fields | changes)
    made.write(Places(root).record(experiment, sub))
    return made


def failed(root: Path, experiment: str, sub: str) -> Answer:
    """Write the record of a handler that failed."""
    error = Broken(kind="ValueError", message="no such run")
    return answer(root, experiment, sub, state="failed", error=error)
