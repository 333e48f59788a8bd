"""The night as a document: each hypothesis with its evidence, and nothing that cannot be shown."""

from pathlib import Path
from typing import Any

import pytest

from ctexp.core import files, yaml_file
from ctexp.queue.morning.documents import NightReport
from ctexp.record.events import EventLog
from ctexp.record.result import Failure
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.queue.morning.nights import PLAN, Written, of
from tests.record import samples


def test_seeds_are_told_apart_and_those_left_out_are_named(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    night.trained("plain")
    night.trained("other", (1,), skill=2.0)
    run = judged.a_run(night.runs, "night-other-oom", 2, skill=2.0)
    night.start("other-s2", fallback="oom", deviations=["oom: data.batch_size=8 instead of 24"])
    night.end("other-s2", run=run.id)
    night.start("other-s3")
    night.end("other-s3", state="timeout", cause="limit", reason="its limit of 30 min is over")
    its = of(night.report(), "other")
    assert [(seed.seed, seed.fallback, seed.run) for seed in its.seeds][1] == (2, "oom", run.id)
    assert set(its.seeds[0].metrics) == {"val/macro_f1", "val/miss_rate"}
    assert its.seeds[0].metrics["val/macro_f1"] != its.seeds[1].metrics["val/macro_f1"]
    assert its.left_out == ("seed 3: timeout (limit): its limit of 30 min is over",)
    assert its.deviations == ("other-s2: oom: data.batch_size=8 instead of 24",)
    assert "this rests on 2 of 3 seeds" in its.insight
    assert any("not of one configuration" in line for line in its.insight)
    # No single name means runs of two: nothing is proposed that would leave one out in silence.
    assert not any("--candidate" in step.command for step in its.next)


def test_a_baseline_from_outside_the_plan(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN.replace("baseline: plain", "baseline: long-ago"))
    for seed in (1, 2):
        judged.a_run(night.runs, "long-ago", seed)
    night.begin()
    night.trained("other", skill=3.0)
    its = of(night.report(), "other")
    assert its.outcome is not None
    assert its.outcome.status == "met"
    assert its.next[0].command.split()[2:4] == ["--baseline", "long-ago"]


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ("plain", "no seed of plain has finished"),
        ("other", "other is the baseline itself"),
        ("nobody", "no run 'nobody'"),
        ("baseline", "no baseline is set yet"),
        ("latest", "the baseline (latest) is a run of other itself"),
    ],
)
def test_without_a_baseline_nothing_is_decided(tmp_path: Path, baseline: str, said: str) -> None:
    night = Written(tmp_path, PLAN.replace("baseline: plain", f"baseline: {baseline}"))
    night.begin()
    night.trained("other", (1,), skill=3.0)
    outcome = of(night.report(), "other").outcome
    assert outcome is not None
    assert outcome.status == "undecided"
    assert said in outcome.said


def test_a_cross_validation_is_judged_out_of_fold(tmp_path: Path) -> None:
    plan = """
baseline: before
seeds: [1]
experiments:
  before: {kind: cross-validate}
  after:
    kind: cross-validate
    success: {metric: val/macro_f1, better_than: baseline}
  level:
    kind: cross-validate
    success: {metric: val/accuracy, op: ">=", value: 0.2}
"""
    night = Written(tmp_path, plan)
    night.begin()
    places = {}
    for name, skill in (("before", 0.5), ("after", 4.0), ("level", 1.0)):
        places[name] = judged.a_cross_validation(night.runs, f"night-{name}", skill=skill)
        night.start(f"{name}-s1")
        night.end(f"{name}-s1", run=places[name].id)
    report = night.report()
    after, level = of(report, "after"), of(report, "level")
    assert after.outcome is not None
    assert level.outcome is not None
    assert (after.outcome.status, level.outcome.status) == ("met", "met")
    assert "oof/accuracy" in level.outcome.said
    stored = files.read_json(places["after"].metrics)["splits"]["oof"]["metrics"]["oof/macro_f1"]["value"]
    assert after.seeds[0].metrics["val/macro_f1"].value == stored
    assert f"--candidate {places['after'].id}" in after.next[0].command


def test_what_a_failed_run_says_of_itself_is_what_to_do_next(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    night.trained("plain")
    hint = "try data.batch_size=8 trainer.accumulate_grad_batches=4: 8 images at a time fit by measurement"
    failure = Failure(kind="MemoryExhausted", message="out of memory", hint=hint)
    for seed, state, code, cause in ((1, "oom", 10, "oom"), (2, "diverged", 11, "diverged")):
        run = samples.begun(RunDir.create(night.runs, "night-other"), name="night-other", seed=seed)
        log = EventLog(run.events)
        log.write("health", state="began", rule="plateau", epoch=3, message="it rests", advice="wait")
        log.write("health", state="passed", rule="plateau", epoch=5, message="it rests", advice="wait")
        log.write("health", state="began", rule="divergence", epoch=7, message="loss rose", advice="lower lr")
        samples.finish(run, state=state, exit_code=code, error=failure if state == "oom" else None)
        night.start(f"other-s{seed}")
        night.end(f"other-s{seed}", state="failed", cause=cause, reason=state, run=run.id)
    said = [step.said for step in of(night.report(), "other").next]
    assert f"other-s1: {hint}" in said
    assert "other-s1, other-s2: epoch 7: loss rose -> lower lr" in said
    assert not any("wait" in line for line in said)


def test_gates_and_bases_are_told_as_the_journal_has_them(tmp_path: Path) -> None:
    night = Written(
        tmp_path,
        "seeds: [1]\nexperiments:\n  a: {}\n  b: {}\n"
        "  c: {gate: {after: a, metric: val/accuracy, op: '>=', value: 0.9}}\n"
        "  d: {base: {best_of: [a, b]}}\n",
    )
    night.begin()
    gate: dict[str, Any] = {
        "after": "a",
        "metric": "val/accuracy",
        "op": ">=",
        "value": 0.9,
        "observed": 0.6125,
    }
    night.journal.append("decision", what="gate", experiment="c", passed=False, **gate)
    night.journal.append("skip", job="c-s1", why="gate", reason="val/accuracy of a is 0.6125, not >= 0.9")
    scores = {"a": 0.6, "b": None}
    night.journal.append(
        "decision", what="base", experiment="d", winner="a", by="val/macro_f1", scores=scores, words=[]
    )
    report = night.report()
    assert of(report, "c").decided == ("gate not passed: val/accuracy of a >= 0.9, seen 0.6125",)
    assert of(report, "c").left_out == ("seed 1: skipped (gate): val/accuracy of a is 0.6125, not >= 0.9",)
    told = "began with the overrides of a, by val/macro_f1: a 0.6, b unknown"
    assert of(report, "d").decided == (told,)


def test_the_target_is_told_with_the_best_that_was_seen(tmp_path: Path) -> None:
    target = "target: {metric: val/accuracy, op: '>=', value: 0.9}\n"
    night = Written(tmp_path, f"{target}seeds: [1, 2]\nexperiments: {{a: {{}}, b: {{}}}}")
    night.begin()
    empty = night.report().target
    assert empty is not None
    assert (empty.best, empty.outcome.status) == (None, "undecided")
    night.trained("a", (1, 2), skill=1.0)
    night.trained("b", (1, 2), skill=6.0)
    told = night.report().target
    assert told is not None
    assert (told.best, told.outcome.status) == ("b", "met")
    assert "chosen by these very images" in told.outcome.notes[0]


def test_warnings_of_finished_runs_are_told_once_with_their_seeds(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    for seed in (1, 2):
        run = judged.a_run(night.runs, "night-plain", seed)
        document = files.read_json(run.result)
        files.write_json(run.result, document | {"warnings": ["val and train share 3 images"]})
        night.start(f"plain-s{seed}")
        night.end(f"plain-s{seed}", run=run.id)
    (warning,) = of(night.report(), "plain").warnings
    assert (warning.said, warning.seeds) == ("val and train share 3 images", (1, 2))


def test_a_run_that_is_gone_is_left_out_and_said(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    night.done("plain-s1", run="night-plain_20261121-000000_gone22")
    its = of(night.report(), "plain")
    assert not its.seeds
    assert its.left_out[0] == "seed 1: night-plain_20261121-000000_gone22: no longer there"


@pytest.mark.parametrize(
    ("spoil", "caution"),
    [
        ("plan.yaml", "the copy of the plan cannot be read"),
        ("conf/verdict.yaml", "nothing was compared"),
    ],
)
def test_what_cannot_be_read_costs_no_more_than_itself(tmp_path: Path, spoil: str, caution: str) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    night.trained("plain")
    night.trained("other", skill=3.0)
    file = night.queue.path / spoil if spoil == "plan.yaml" else tmp_path / spoil
    file.write_text("experiments: [")
    report = night.report()
    assert any(caution in line for line in report.cautions)
    assert report.counts.done == 6
    outcomes = [its.outcome for its in report.experiments if its.outcome]
    assert all(outcome.status == "undecided" for outcome in outcomes)


def test_a_step_that_a_later_start_has_done_is_no_caution(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    night.trained("plain")
    left = "errors-other: not done, since nothing of it has finished"
    night.journal.append("note", step="errors-other", text=left)
    assert left in night.report().cautions
    night.begin()
    night.trained("other")
    night.journal.append("step", name="errors-other", argv=["inv"], exit_code=0, seconds=1.0, log="x.log")
    assert left not in night.report().cautions


def test_every_start_is_told_and_one_that_was_killed_too(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    night.begin(commit="a" * 40, dirty=True)
    night.start("plain-s1")
    night.begin(commit="b" * 40, dirty=False)
    night.end("plain-s1", state="interrupted", cause="signal", reason="nobody saw it end", recovered=True)
    first, second = night.report(143).starts
    assert (first.ended, first.exit_code) == (None, None)
    assert second.ended is not None
    assert second.exit_code == 143


def test_free_text_is_whole_in_the_document(tmp_path: Path) -> None:
    said = "It's $(touch canary) `x` \\n " + "long " * 2000
    night = Written(tmp_path, yaml_file.dump({"experiments": {"net": {"hypothesis": said}}}))
    night.begin()
    assert of(night.report(), "net").hypothesis == said


def test_a_document_read_back_is_the_same(tmp_path: Path) -> None:
    night = Written(tmp_path, PLAN)
    night.begin()
    night.trained("plain", (1,))
    report = night.report()
    report.write(night.queue.night_json)
    assert NightReport.read(night.queue.night_json) == report


def test_each_job_is_counted_once(tmp_path: Path) -> None:
    night = Written(tmp_path, "seeds: [1, 2, 3, 4, 5, 6, 7]\nexperiments: {net: {}}")
    night.begin()
    ends: list[dict[str, Any]] = [
        {"state": "done"},
        {"state": "failed", "cause": "other"},
        {"state": "timeout", "cause": "limit"},
        {"state": "interrupted", "cause": "window"},
    ]
    for seed, end in enumerate(ends, start=1):
        night.start(f"net-s{seed}")
        night.end(f"net-s{seed}", **end)
    night.journal.append("skip", job="net-s5", why="window", reason="no time")
    night.journal.append("cancel", job="net-s6", by="somebody")
    counts = night.report().counts
    assert (counts.done, counts.failed, counts.skipped, counts.left) == (1, 2, 1, 3)
    assert counts.jobs == 7
