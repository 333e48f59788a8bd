"""Nights that were never run: a plan, a journal by the real writer, whole runs that nobody has trained."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import yaml_file
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import in_order, jobs_of
from ctexp.queue import end
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from ctexp.queue.morning import report
from ctexp.queue.morning.documents import ExperimentReport, NightReport
from ctexp.queue.orders import Orders
from tests import judged
from tests.project import HERE
from tests.queue.written import Writer, queue

PLAN = """
baseline: plain
seeds: [1, 2, 3]
experiments:
  plain: {}
  other:
    hypothesis: It is better.
    success: {metric: val/macro_f1, better_than: baseline, by: 0.05}
    track: [val/miss_rate]
"""
"""Two experiments, one of which is to be better than the other."""


class Written(Writer):
    """A queue of a plan, whose journal a test writes.

    Args:
        root: of the project, made here.
        plan: the text of its plan, called `night`.
    """

    def __init__(self, root: Path, plan: str, **orders: Any) -> None:
        self.root, self.runs = root, root / "runs"
        (root / "conf").mkdir(parents=True, exist_ok=True)
        for name in ("config.yaml", "verdict.yaml"):
            shutil.copy(HERE / "conf" / name, root / "conf" / name)
        self.plan = Plan.model_validate(
            yaml_file.parse(plan.encode(), "night.yaml"), context={"name": "night"}
        )
        jobs = in_order(jobs_of(self.plan))
        super().__init__(queue(self.runs, jobs, baseline=self.plan.baseline, **orders))
        self.queue.plan.write_text(plan)

    def trained(self, experiment: str, seeds: Sequence[int] = (1, 2, 3), **changes: Any) -> None:
        """Each seed is done, with a run of that `skill`, seed for seed another."""
        for seed in seeds:
            run = judged.a_run(self.runs, f"night-{experiment}", seed, **changes)
            self.start(f"{experiment}-s{seed}")
            self.end(f"{experiment}-s{seed}", run=run.id, commit="1234567890")

    def report(self, code: int = 0) -> NightReport:
        """What `queue end` would write now."""
        orders = Orders.read(self.queue.orders)
        return report.build(self.queue, orders, Journal(self.queue.journal).read(), code)

    def ended(self, code: int, monkeypatch: pytest.MonkeyPatch) -> int:
        """Let the real program end the night; its exit code."""
        monkeypatch.setenv("CTEXP_QUEUE_DIR", str(self.queue.path))
        return end.main([str(code)])


def of(night: NightReport, experiment: str) -> ExperimentReport:
    """One experiment's part."""
    return next(its for its in night.experiments if its.experiment == experiment)


def newest(root: Path) -> QueueDir:
    return QueueDir(sorted((root / "runs" / "queues").iterdir())[-1])
