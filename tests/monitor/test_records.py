"""Rules over whole records: answers, relatives, conclusions."""

import json
from pathlib import Path

import numpy as np
import pytest

from ctexp.core import files, yaml_file
from ctexp.evaluation.predictions import Predictions
from ctexp.monitor.finding import Finding, Judged, Report
from ctexp.monitor.judge import judge, report
from ctexp.monitor.neighbours import Neighbours
from ctexp.record import baselines, decisions
from ctexp.record.baselines import Baseline, Baselines
from ctexp.record.run_dir import RunDir
from tests.judged import a_run, dataset, predictions
from tests.record import samples
from tests.record.test_decisions import a_decision

HISTORY = "epoch,input_seconds\n" + "".join(f"{epoch},0.1\n" for epoch in range(1, 9))


def of(runs: Path, run: RunDir, root: Path) -> Judged:
    others = Neighbours(runs)
    return judge(others.seen(run.id), root, others)


def rules(judged: Judged) -> dict[str, str]:
    return {one.rule: one.severity for one in judged.findings}


def a_later_run(runs: Path, second: int, seed: int = 1, **changes: object) -> RunDir:
    run = a_run(runs, seed=seed, created=f"2026-11-21T05:04:{second:02d}.000Z", **changes)  # type: ignore[arg-type]
    files.write_text(run.history, HISTORY)
    return run


def scaled(table: Predictions, by: float) -> Predictions:
    return Predictions(table.image_id, table.sha256, table.group, table.label, table.logits * np.float32(by))


def test_a_sound_run_hears_nothing(tmp_path: Path) -> None:
    judged = of(tmp_path, a_later_run(tmp_path, 1), tmp_path)
    assert judged.findings == ()
    assert judged.state == "finished"


def test_the_same_answer_for_all_images_is_an_alarm(tmp_path: Path) -> None:
    dead = a_later_run(tmp_path, 1, tables={"val": scaled(predictions(), 1e-4)})
    assert rules(of(tmp_path, dead, tmp_path)) == {"dead_outputs": "alarm"}


def test_a_class_that_is_never_the_answer_is_named(tmp_path: Path) -> None:
    table = predictions(skill=3)
    table.logits[:, 2] -= 50
    found = of(tmp_path, a_later_run(tmp_path, 1, tables={"val": table}), tmp_path).findings

    assert [one.rule for one in found] == ["class_never_predicted"]
    assert found[0].evidence["class"] == "squamous_cell_carcinoma"
    assert "0 of its 20 validation images" in found[0].message


def test_leaks_into_validation_alarm_and_what_is_less_is_told_as_less(tmp_path: Path) -> None:
    lines = (
        "official split: 4 of 80 val images are copies of training images; figures on them flatter",
        "official split: 4 of 80 test images are copies of training images; figures on them flatter",
        "features=top_features: chosen by what counts on these very validation images; validation figures …",
    )
    leaky = a_later_run(tmp_path, 1, dataset=dataset(leaks=lines))
    found = of(tmp_path, leaky, tmp_path).findings
    # one line each: the graver first
    assert [(one.severity, one.evidence["of"]) for one in found] == [
        ("alarm", "val"),
        ("warning", "features"),
        ("note", "test"),
    ]
    assert "data.split=clean" in found[0].advice
    assert "features=all_features" in found[1].advice


def test_settings_without_effect_are_found_in_the_later_run(tmp_path: Path) -> None:
    first = a_later_run(tmp_path, 1)
    second = a_later_run(tmp_path, 2, overrides=("optimizer.weight_decay=0.5",))
    again = a_later_run(tmp_path, 3)

    found = of(tmp_path, second, tmp_path).findings[0]
    assert (found.rule, found.severity, found.runs) == ("identical_runs", "warning", (second.id, first.id))
    assert "optimizer.weight_decay" in found.message
    assert rules(of(tmp_path, first, tmp_path)) == {}
    assert rules(of(tmp_path, again, tmp_path)) == {"identical_runs": "warning"}  # with the second
    assert "something set has no effect" in found.message


def test_nearly_the_same_is_a_note_of_one_seed_alone(tmp_path: Path) -> None:
    table = predictions()
    a_later_run(tmp_path, 1, tables={"val": table})
    near = {"val": scaled(table, 1.0001)}
    changed = ("optimizer.weight_decay=0.5",)

    same = a_later_run(tmp_path, 2, tables=near, overrides=changed)
    other = a_later_run(tmp_path, 3, seed=2, tables=near, overrides=(*changed, "model.dropout=0.1"))
    assert rules(of(tmp_path, same, tmp_path)) == {"nearly_identical": "note"}
    assert "identical_runs" in rules(of(tmp_path, other, tmp_path))  # with the second, whatever the seed


@pytest.mark.parametrize(("skill", "advice"), [(-1.0, "inv diff"), (5.0, "inv data-audit")])
def test_a_metric_outside_the_history_of_its_recipe(tmp_path: Path, skill: float, advice: str) -> None:
    for seed in range(1, 6):
        a_later_run(tmp_path, seed, seed)
    usual = a_later_run(tmp_path, 6, 6)
    strange = a_later_run(tmp_path, 7, 7, skill=skill)

    assert "outside_history" not in rules(of(tmp_path, usual, tmp_path))
    found = [one for one in of(tmp_path, strange, tmp_path).findings if one.rule == "outside_history"]
    assert found[0].evidence["metric"] == "val/macro_f1"
    assert advice in found[0].advice


def test_four_earlier_runs_are_too_few(tmp_path: Path) -> None:
    for seed in range(1, 5):
        a_later_run(tmp_path, seed, seed)
    judged = of(tmp_path, a_later_run(tmp_path, 5, 5, skill=-1.0), tmp_path)
    assert "outside_history" in {one.rule for one in judged.unknown}


def concluded(root: Path) -> Report:
    others = Neighbours(root / "runs")
    return report([one.id for one in others.every], root, others, whole=True)


def test_conclusions_on_one_seed_are_told_wherever_they_stand(tmp_path: Path) -> None:
    lone = a_later_run(tmp_path / "runs", 1, 1)
    baseline = Baseline(
        title="net",
        kind="name",
        runs=(lone.id,),
        folder="research/baselines/net",
        promoted=samples.BEGIN,
        command="scripts/inv compare-baselines",
        over="old",
        split="val",
        metric="macro_f1",
        value=0.5,
        difference=0.1,
    )
    baselines.write(tmp_path, Baselines(current=baseline))
    decided = a_decision("net").model_copy(update={"candidate_runs": (lone.id,)})
    decisions.append(tmp_path / "research" / "decisions.jsonl", [decided])
    files.write_text(tmp_path / "research" / "FINDINGS.md", f"It helps[^1].\n\n[^1]: {lone.id}\n")

    said = [one.message for one in concluded(tmp_path).project]
    assert len(said) == 3
    assert concluded(tmp_path).objects

    page = tmp_path / "research" / "results" / "help" / "FINDINGS.md"
    page.parent.mkdir(parents=True)
    files.write_text(page, f"It helps[^1].\n\n[^1]: {lone.id}\n")
    said = [one.message for one in concluded(tmp_path).project]
    assert len(said) == 3, "the project's page says again what that of the experiment says"
    assert "results/help/FINDINGS.md cites one seed of" in said[-1]
    page.unlink()

    second = a_later_run(tmp_path / "runs", 2, 2)
    both = baseline.model_copy(update={"runs": (lone.id, second.id)})
    baselines.write(tmp_path, Baselines(current=both))
    (tmp_path / "research" / "decisions.jsonl").unlink()
    files.write_text(tmp_path / "research" / "FINDINGS.md", f"It helps: {lone.id}, {second.id}.\n")
    assert concluded(tmp_path).project == ()


def test_damage_is_told_and_hides_no_other_run(tmp_path: Path) -> None:
    broken, sound = a_later_run(tmp_path / "runs", 1), a_later_run(tmp_path / "runs", 2, 2, skill=2.0)
    broken.history.write_text("no,table\n1\n")
    broken.config.write_text("{")
    broken.predictions("val").write_bytes(b"")
    files.write_text(tmp_path / "research" / "decisions.jsonl", "no decision\n")

    found = concluded(tmp_path)
    assert {one.run for one in found.runs} == {broken.id, sound.id}
    assert any("history.csv" in note for note in found.notes)
    assert any("decisions.jsonl" in note for note in found.notes)


@pytest.mark.parametrize(
    ("group", "value"),
    [("trainer", 7), ("scheduler", True), ("scheduler", {"warmup_epochs": float("inf")}), ("finetune", None)],
)
def test_a_setting_that_is_damaged_is_told_as_unknown(tmp_path: Path, group: str, value: object) -> None:
    run = a_later_run(tmp_path, 1)
    run.config.write_text(yaml_file.dump(yaml_file.read_mapping(run.config) | {group: value}))
    unknown = {one.why for one in of(tmp_path, run, tmp_path).unknown}
    assert "configuration or manifest say too little" in unknown


def test_answers_that_cannot_be_read_are_not_called_missing(tmp_path: Path) -> None:
    damaged, killed = a_later_run(tmp_path, 1), a_later_run(tmp_path, 2)
    damaged.predictions("val").write_bytes(b"PAR1")
    for file in (killed.predictions("val"), killed.result):
        file.unlink()
    why = [
        {one.rule: one.why for one in of(tmp_path, run, tmp_path).unknown}["dead_outputs"]
        for run in (damaged, killed)
    ]
    assert why == ["its validation answers cannot be read", "no validation image was answered"]


def test_a_document_has_no_figure_that_json_lacks() -> None:
    undefined = Finding("instability", "warning", ("a",), "it leaps", "lower it", {"val/auroc": float("nan")})
    judged = Judged("a", "a", "finished", 9, (undefined,), ())
    document = Report((judged,), ()).document()
    assert document["runs"][0]["findings"][0]["evidence"] == {"val/auroc": None}
    assert json.loads(json.dumps(document, allow_nan=False)) == document
