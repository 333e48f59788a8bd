"""Real nights whose window is too small: for their plan, and for a job that goes on and on."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from tests.faults.nights import newest, night_json, night_project, start, state
from tests.project import INV, call

pytestmark = pytest.mark.slow

COMMON = """
window: 2m
seeds: [1]
common:
  - data=phantom
  - model=tiny_cnn
  - data.image_size=32
  - data.batch_size=24
  - trainer.accelerator=cpu
  - trainer.max_epochs=3
  - trainer.early_stopping=null
  - logger=none
cooldown: {pause: 0s}
"""

TOO_MUCH = f"""
goal: More than fits.
baseline: plain
{COMMON}
reserve: {{disk: 1MB, analysis: 20s}}
limits: {{silence: 60s, grace: 3s}}
analysis: [compare]
experiments:
  smoke: {{overrides: [trainer.max_epochs=1], priority: 9}}
  poor: {{overrides: [model.dropout=0.4, trainer.max_epochs=20], seeds: [1, 2, 3, 4], worth: 0.2}}
  dear: {{overrides: [model.dropout=0.2, trainer.max_epochs=40]}}
  after-dear: {{overrides: [model.dropout=0.25], needs: [dear]}}
  plain: {{hypothesis: The noise floor., priority: 5}}
  slowed:
    overrides: [model.dropout=0.3]
    seeds: [1, 2]
    worth: 9
    success: {{metric: val/macro_f1, better_than: baseline, by: 0.3}}
  rich:
    overrides: [model.dropout=0.1]
    worth: 4
    gate: {{after: plain, metric: val/accuracy, op: ">=", value: 0.01}}
  best: {{base: {{best_of: [rich, slowed], by: val/accuracy}}, overrides: [optimizer.lr=2e-3], worth: 2}}
  extra: {{overrides: [model.dropout=0.35, trainer.max_epochs=900], shorten: true, worth: 0.1}}
"""

SLOWED = """
import os, time
from ctexp.training.kernel.module import Classifier

original = Classifier.losses


def losses(self, logits, batch):
    if self.training and os.environ["CTEXP_JOB"].startswith("slowed"):
        time.sleep(0.6)  # of thirty steps: several times what was expected
    return original(self, logits, batch)


Classifier.losses = losses
"""


def events(queue: QueueDir, *kinds: str) -> list[dict[str, Any]]:
    """Those of the newest start."""
    all_of_it = Journal(queue.journal).read()
    began = max(one["seq"] for one in all_of_it if one["kind"] == "begin")
    return [one for one in all_of_it if one["kind"] in kinds and one["seq"] >= began]


def kept_its_window(queue: QueueDir) -> float:
    """Seconds that were left when the night was over."""
    [begin], [close] = events(queue, "begin"), events(queue, "close")
    left: float = begin["closes_uptime"] - close["uptime"]
    assert left > 0
    return left


@pytest.mark.timeout(1500)
def test_what_is_worth_most_comes_first_and_later_starts_take_up_the_rest(tmp_path: Path) -> None:
    project = night_project(tmp_path / "project", "small", TOO_MUCH, SLOWED)
    checked = call(project, INV, "plan-check", "small", "--measure").stdout
    assert "others make more of the window" in checked

    first = start(project, "small")
    told = first.stdout + first.stderr
    print(told)
    assert first.returncode == 124, told
    queue = newest(project)
    kept_its_window(queue)
    begun = [one["job"] for one in events(queue, "start")]
    assert begun[:2] == ["smoke-s1", "plain-s1"], "priorities come first"
    assert begun[2] in {"slowed-s1", "rich-s1"}, "then what is worth most"
    night = state(queue)
    # Where the window closes in the middle of a job, as on a busy machine it may, the rest is only pending.
    cut = any(job.state == "interrupted" for job in night.jobs.values())
    without = ("pending", None) if cut else ("skipped", "window")
    left = {name for name, job in night.jobs.items() if (job.state, job.kind) == without}
    assert "poor-s4" in left, "least is to be had of it, whatever else there was time for"
    assert "poor-s1" in left or not left & {"slowed-s1", "slowed-s2", "rich-s1"}, left
    if "slowed-s1" in begun:
        assert "times what was expected" in told, "a job that took longer has the rest packed anew"
    status = call(project, INV, "queue-status", "small").stdout
    for text in (told, status, queue.night_md.read_text()):
        assert "left out of the window: " in text
        assert "poor-s" in text
    assert "taken up again" in queue.night_md.read_text()
    assert night_json(queue)["exit_code"] == 124

    alone = start(project, "small", "--only", "poor-s4")
    print(alone.stdout + alone.stderr)
    assert [one["job"] for one in events(queue, "start")] == ["poor-s4"]
    flags = ["--resume"]
    for _ in range(6):
        more = start(project, "small", *flags)
        print(more.stdout + more.stderr)
        kept_its_window(queue)
        flags = []
        if more.returncode == 0:
            break
        assert more.returncode == 124
        assert len(events(queue, "pack")) <= len(events(queue, "start")), "one for each job at most"
    assert newest(project) == queue
    night = state(queue)
    assert {name for name, job in night.jobs.items() if job.state != "done"} == set()
    ends = [one for one in Journal(queue.journal).read() if one["kind"] == "end" and one["state"] == "done"]
    assert max(Counter(one["job"] for one in ends).values()) == 1
    order = [one["job"] for one in ends]
    assert order.index("best-s1") > max(order.index(one) for one in ("rich-s1", "slowed-s1", "slowed-s2"))
    assert order.index("after-dear-s1") > order.index("dear-s1")


ENDLESS = f"""
goal: Stop in time.
{COMMON}
reserve: {{disk: 1MB, analysis: 35s}}
limits: {{silence: 15m, grace: 8s}}
analysis: [report]
experiments:
  quick: {{hypothesis: It trains., success: {{metric: val/macro_f1, op: ">=", value: 0.1}}, priority: 1}}
  polite: {{overrides: [model.dropout=0.1, trainer.max_epochs=4]}}
  deaf: {{overrides: [model.dropout=0.2, trainer.max_epochs=4]}}
"""

GOES_ON = """
import os, signal, time
from ctexp.training.kernel.module import Classifier

original = Classifier.losses
job = os.environ["CTEXP_JOB"].partition("-")[0]


def losses(self, logits, batch):
    found = original(self, logits, batch)
    if self.training and job != "quick" and self.global_step == 12:
        if job == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        time.sleep(0.5)
    elif self.training and job == "polite" and self.global_step > 12:
        time.sleep(25)  # ten minutes in all
    return found


Classifier.losses = losses
"""


@pytest.mark.timeout(900)
def test_a_job_that_goes_on_and_on_is_stopped_so_that_the_analysis_ends_within_the_window(
    tmp_path: Path,
) -> None:
    project = night_project(tmp_path / "project", "endless", ENDLESS, GOES_ON)
    assert start(project, "endless", "--only", "quick").returncode == 0
    for job in ("deaf", "polite"):
        done = start(project, "endless", "--only", job)
        print(done.stdout + done.stderr)
        queue = newest(project)
        [stopped] = [one for one in events(queue, "end") if one["job"] == f"{job}-s1"]
        [begin] = events(queue, "begin")
        late = stopped["uptime"] - (begin["closes_uptime"] - 35)
        print(
            f"{job}: ended {late:.1f} s after the analysis was due, {kept_its_window(queue):.1f} s were left"
        )
        assert done.returncode == 124, done.stdout + done.stderr
        assert (stopped["state"], stopped["cause"]) == ("interrupted", "window")
        assert late < 3
        assert [one["name"] for one in events(queue, "step")] == ["report"]
        assert queue.night_md.exists()
