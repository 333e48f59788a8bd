import json
import re
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.planning.plan.document import Improvement
from ctexp.planning.plan.jobs import key_of
from ctexp.planning.proposal.documents import Proposal
from tests.planning.proposal.projects import a_run, of_stage, proposed, stages, with_images
from tests.planning.study.projects import in_order, project


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one training that learned something."""
    root = with_images(tmp_path_factory.mktemp("single"))
    with in_order():
        a_run(root, "base", 42, "trainer.max_epochs=5")
    return root


@pytest.fixture(scope="module")
def found(single: Path) -> Proposal:
    """What is proposed for it without any wish."""
    return proposed(single)


def test_without_images_nothing_is_proposed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images yet") as refused:
        proposed(project(tmp_path))

    assert "data-import" in refused.value.hint
    assert "data-phantom" in refused.value.hint


def test_one_run_gets_its_noise_floor_first_and_is_compared_in_the_same_night(found: Proposal) -> None:
    plan = found.plan

    assert stages(found)[:2] == ["smoke", "baseline"]
    assert (plan.experiments["baseline"].seeds or plan.seeds) == [1, 2, 3, 4, 5]
    assert {"model=tiny_cnn", "data.name=tiny", "trainer.max_epochs=5"} <= set(plan.common)
    assert of_stage(found, "coarse")
    for name in of_stage(found, "coarse"):
        experiment = plan.experiments[name]
        assert isinstance(experiment.success, Improvement) or found.reasons[name].variant
        assert experiment.gate is not None
        assert experiment.gate.after == "baseline"
        assert found.reasons[name].refuted_by
        assert found.reasons[name].expected_gain is not None
    assert "noise" in found.said or "chance" in found.said


def test_a_criterion_asks_for_what_is_worthwhile_and_not_for_what_can_be_noticed(found: Proposal) -> None:
    asked = [one.success for one in found.plan.experiments.values() if isinstance(one.success, Improvement)]

    assert asked
    assert {one.by for one in asked} == {None}  # worthwhile, of conf/verdict.yaml
    assert found.worthwhile == 0.02
    assert found.detectable is not None
    assert found.detectable > found.worthwhile
    assert f"a gain of {found.detectable:.2f} would be noticed" in "\n".join(found.assumptions)
    changes = [reason for reason in found.reasons.values() if reason.stage == "confirmation"]
    assert all("even a gain of 0.02" in reason.refuted_by for reason in changes)


def test_a_plan_that_can_decide_little_is_warned_of_in_one_line(found: Proposal) -> None:
    (said,) = [line for line in found.warnings if "will hardly be decided" in line]
    judged = [name for name, one in found.plan.experiments.items() if one.success]

    assert len(judged) > 1
    assert said.endswith(f"({', '.join(judged)})")
    assert not any("data.sample" in line for line in found.warnings)  # of the smoke job


def test_a_night_that_will_decide_little_says_so_and_what_would_decide_more(found: Proposal) -> None:
    expected, little, better = found.outlook

    assert "expected to bring +0.00" in expected
    assert "hardly decide anything about changes" in little
    assert "noise floor" in little
    assert "`scripts/inv data-split --dataset tiny --scheme kfold`" in better
    assert "`scripts/inv cross-validate " in better
    assert "`scripts/inv plan --from night-1-folds`" in better
    assert "of the official test split" in better
    noticed = float(re.search(r"a gain of about ([0-9.]+) would", better)[1])  # type: ignore[index]
    assert found.detectable is not None
    assert noticed < found.detectable


def test_screen_page_and_file_have_the_order_of_running(found: Proposal) -> None:
    running = list(dict.fromkeys(entry.job.rpartition("-s")[0] for entry in found.schedule.entries))

    assert list(found.plan.experiments) == running
    assert list(found.reasons) == running


def test_how_the_incumbent_was_logged_is_carried_over(found: Proposal) -> None:
    assert "logger=none" in found.plan.common


def test_the_winner_is_confirmed_with_seeds_that_did_not_choose_it(found: Proposal) -> None:
    plan = found.plan

    winner = plan.experiments["winner"]
    assert winner.base is not None
    assert set(winner.base.best_of) <= set(plan.experiments)
    assert winner.seeds is not None
    others = [plan.experiments[name] for name in ("baseline", *of_stage(found, "coarse"))]
    assert not set(winner.seeds) & {seed for one in others for seed in one.seeds or plan.seeds}


def test_the_same_is_proposed_from_the_same(single: Path, found: Proposal) -> None:
    assert proposed(single).text == found.text


@pytest.mark.slow
def test_what_the_user_says_wins_over_the_incumbent(single: Path) -> None:
    common = proposed(single, overrides=["trainer.max_epochs=7", "model.dropout=0.25"]).plan.common

    assert "trainer.max_epochs=7" in common
    assert "model.dropout=0.25" in common
    assert len({key_of(word) for word in common}) == len(common)


def test_a_sweep_tries_its_values_with_few_seeds_and_claims_nothing_of_them(single: Path) -> None:
    plan = (found := proposed(single, focus=["sweep"])).plan

    values = [name for name in of_stage(found, "coarse") if name.startswith("weight_decay-")]
    assert len(values) > 1
    assert all(plan.experiments[name].success is None for name in values)
    assert all(len(plan.experiments[name].seeds or plan.seeds) == 2 for name in values)
    assert [found.reasons[name].variant for name in values] == ["tenth", "tenfold"]
    winner = plan.experiments["weight_decay-winner"]
    assert winner.base is not None
    assert winner.base.best_of == values
    assert winner.success is not None


@pytest.mark.slow
def test_a_short_window_holds_less_and_one_too_short_is_refused(single: Path, found: Proposal) -> None:
    short = proposed(single, window="2h")

    assert 0 < len(of_stage(short, "coarse")) < len(of_stage(found, "coarse"))
    assert sum(reason.minutes for reason in short.reasons.values()) <= 110
    assert any("no room" in one.why for one in short.left_out)
    with pytest.raises(UsageError, match="too short") as refused:
        proposed(single, window="2m")
    assert "--window" in refused.value.hint


def test_a_target_that_nothing_can_decide_is_refused_as_it_was_typed(single: Path) -> None:
    with pytest.raises(UsageError) as refused:
        proposed(single, goal="val/accuracy>=0.99")

    (said,) = refused.value.problems
    assert said.startswith("--goal: val/accuracy >= 0.99 cannot be decided")
    assert ".yaml" not in said


@pytest.mark.slow
def test_a_goal_becomes_the_target_and_what_criteria_ask(single: Path) -> None:
    found = proposed(single, goal="val/balanced_accuracy>=0.7", focus=["training"])

    assert found.plan.target is not None
    assert (found.plan.target.metric, found.plan.target.value) == ("val/balanced_accuracy", 0.7)
    asked = [one.success for one in found.plan.experiments.values() if one.success]
    assert asked
    assert {one.metric for one in asked} == {"val/balanced_accuracy"}


@pytest.mark.slow
def test_a_move_that_says_nothing_of_the_goal_is_not_ranked(single: Path) -> None:
    calm = proposed(single, goal="val/ece")

    assert any("says nothing of its effect on val/ece" in one.why for one in calm.left_out)
    assert all(calm.reasons[name].prior for name in of_stage(calm, "coarse"))


def test_answers_that_may_be_guesses_get_seeds_and_no_claim(tmp_path: Path) -> None:
    root = with_images(tmp_path)
    with in_order():
        for seed, name in enumerate(("base", "other")):
            a_run(root, name, seed, *(["model.dropout=0.3"] if name == "other" else []), skill=0.0)

    night = proposed(root)

    assert night.night == "noise floor"
    assert not of_stage(night, "coarse")
    assert all(one.success is None for one in night.plan.experiments.values())
    seeds = [one.seeds or night.plan.seeds for name, one in night.plan.experiments.items() if name != "smoke"]
    assert len(seeds) == 2
    assert all(len(its) == 5 for its in seeds)
    assert night.detectable is None
    assert night.outlook == ()
    assert "nothing is claimed" in night.said


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after one night: one change was far better, another far worse."""
    root = with_images(tmp_path_factory.mktemp("second"))
    night = "night-1_20261120-200000"
    with in_order():
        for seed in (1, 2, 3):
            a_run(root, "night-1-baseline", seed, skill=1.5, night=night, job=f"baseline-s{seed}")
        for seed in (1, 2, 3):
            job = f"ema-s{seed}"
            a_run(root, "night-1-ema", seed, "averaging=ema", skill=4.0, night=night, job=job)
        for seed in (1, 2, 3):
            job = f"higher-s{seed}"
            a_run(root, "night-1-higher", seed, "optimizer.lr=3e-4", skill=0.4, night=night, job=job)
    folder = root / "runs" / "queues" / night
    folder.mkdir(parents=True)
    (folder / "orders.json").write_text(json.dumps({"baseline": "baseline"}))
    return root


def test_after_a_night_what_is_established_to_be_better_is_gone_on_with(second: Path) -> None:
    after = proposed(second, "night-2", start="night-1")

    assert after.incumbent == "night-1-ema"
    assert "averaging=ema" in after.plan.common
    told = "\n".join(after.follows)
    assert "ema: val/macro_f1 +" in told
    assert "better" in told
    assert "higher: val/macro_f1 -" in told
    assert "worse" in told
    assert "night-1-ema is the incumbent from here on" in told


def test_an_incumbent_with_enough_seeds_is_the_baseline_as_it_stands(second: Path) -> None:
    after = proposed(second, "night-2", start="night-1")

    assert after.plan.baseline == "night-1-ema"
    assert "baseline" not in after.plan.experiments
    fresh = {seed for name in of_stage(after, "coarse") for seed in after.plan.experiments[name].seeds or []}
    assert not {1, 2, 3} & {*after.plan.seeds, *fresh}


@pytest.mark.slow
def test_what_was_worse_here_is_not_proposed_again(second: Path) -> None:
    again = proposed(second, "night-2", start="night-1-baseline")

    assert "higher_lr" not in again.reasons
    assert "higher_lr" in {one.move for one in again.left_out}
