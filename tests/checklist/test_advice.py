"""What to do about an audit: the weightiest first, each thing once, commands that can be typed."""

from pathlib import Path

import pytest

from ctexp.checklist.advice import Advice, advise, assessment
from ctexp.record.checkpoint_files import BEST
from ctexp.record.manifest import Tracker
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.checklist.records import audited, history, repository, whole
from tests.project import git
from tests.record import samples


@pytest.fixture
def root(tmp_path: Path) -> Path:
    repository(tmp_path)
    return tmp_path


def advice(root: Path, *runs: RunDir, account: bool = False) -> Advice:
    return advise(audited(root, *runs), account=account)


def test_what_is_wrong_with_several_runs_is_said_once_the_weightiest_first(root: Path) -> None:
    first, second = (
        whole(root, seed=seed, dataset=judged.dataset(), description="", tags=()) for seed in (1, 2)
    )
    (second.checkpoints / BEST).write_bytes(b"somebody else's weights")
    told = advice(root, first, second)
    assert [(one.point, one.runs) for one in told.critical] == [("checkpoints", (second.id,))]
    assert [(one.point, len(one.runs), round(one.lost, 9)) for one in told.recommendations] == [
        ("data", 2, 4.0),
        ("tags", 2, 2.0),
    ]
    assert told.recommendations[0].fix.startswith("scripts/inv data-push --dataset phantom && ")
    assert audited(root, first, second).score == 100 - 4 - 2 - 5  # 10 points of one run of two


def test_a_fix_names_the_run_and_its_own_command(root: Path) -> None:
    run = whole(root)
    run.environment.unlink()
    (told,) = advice(root, run).critical
    manifest = run.read().manifest
    assert manifest is not None
    assert told.fix == f"train again: {manifest.command}"
    assert advice(root, run).next_steps[0] == manifest.command


def test_a_record_that_says_nothing_is_critical_and_costs_all_its_points(root: Path) -> None:
    run = whole(root)
    run.manifest.unlink()
    (told,) = advice(root, run).critical
    assert (told.point, told.lost) == ("record", 100)
    assert assessment(audited(root, run))[0] == "these: 0 of 100 points, something vital is missing"


def test_seeds_that_say_nothing_of_spread_are_worth_adding(root: Path) -> None:
    runs = [whole(root, seed=seed) for seed in (1, 2)]
    added = [one for one in advice(root, *runs).metrics if "spread" in one.said]
    assert "it has 2, and 3 are the least" in added[0].said
    assert added[0].fix.endswith(" seed=3")
    assert added[0].fix.count("seed=") == 1
    assert not any("spread" in one.said for one in advice(root, *runs, whole(root, seed=3)).metrics)


def test_one_name_for_two_experiments_and_two_names_for_one_are_told(root: Path) -> None:
    runs = [
        whole(root, "net", 1),
        whole(root, "net", 2, overrides=("optimizer.lr=0.5",)),
        whole(root, "same", 3),
    ]
    said = [one.said for one in advice(root, *runs).organisation]
    assert said == [
        "the name net holds 2 experiments: no verdict can be had of it",
        "one experiment has 2 names: net, same",
    ]
    assert advice(root, runs[0], whole(root, "net", 3)).organisation == ()


def test_next_steps_begin_with_what_was_interrupted_and_end_with_the_proof(root: Path) -> None:
    kept, broken = whole(root), whole(root, seed=2, state="interrupted")
    history(broken, epochs=3)
    samples.result(broken.id, state="interrupted", exit_code=143, epochs=3).write(broken.result)
    (kept.path / "wandb" / "offline-run-20261122_1").mkdir(parents=True)
    steps = advice(root, kept, broken, account=True).next_steps
    assert steps[0] == f"scripts/inv train --resume {broken.id}"
    assert "scripts/inv wandb-sync" in steps
    assert steps[-1] == f"scripts/inv reproduce --run {kept.id}"
    (kept.path / "wandb" / "offline-run-20261122_1" / "a.wandb.synced").touch()
    assert "scripts/inv wandb-sync" not in advice(root, kept, broken, account=True).next_steps


def test_what_is_kept_offline_is_a_note_unless_somebody_meant_to_send_it(root: Path) -> None:
    kept, other = whole(root), whole(root, seed=2)
    (kept.path / "wandb" / "offline-run-20261122_1").mkdir(parents=True)
    assert not any("wandb-sync" in step for step in advice(root, kept, other).next_steps)
    assert any(line.startswith("1 of 2 runs is kept") for line in assessment(audited(root, kept, other)))
    assert f"scripts/inv wandb-sync --run {kept.id}" in advice(root, kept, account=True).next_steps

    meant = whole(root, seed=3, tracker=Tracker(kind="wandb", mode="online"))
    (meant.path / "wandb" / "run-20261122_1").mkdir(parents=True)
    assert f"scripts/inv wandb-sync --run {meant.id}" in advice(root, meant).next_steps
    assert not any("kept by the tracker" in line for line in assessment(audited(root, meant)))


def test_the_least_is_named_where_runs_differ(root: Path) -> None:
    runs = [whole(root, seed=seed) for seed in (1, 2)]
    assert not any("the least has" in line for line in assessment(audited(root, *runs)))
    runs[1].environment.unlink()
    assert f"the least has 92: {runs[1].id}" in assessment(audited(root, *runs))


def test_a_run_at_work_is_told_as_not_judged_yet(root: Path) -> None:
    ended, at_work = whole(root), whole(root, seed=2)
    at_work.result.unlink()
    with at_work.lock():
        told = assessment(audited(root, ended, at_work))
    assert f"{at_work.id} is still running: what its end leaves is not judged yet" in told


def test_a_run_that_cannot_be_made_again_is_not_offered_for_it(root: Path) -> None:
    run = whole(root)
    git(root, "commit", "--quiet", "--amend", "--allow-empty", "--message=another start")
    git(root, "reflog", "expire", "--expire=now", "--all")
    git(root, "gc", "--quiet", "--prune=now")
    assert [one.point for one in advice(root, run).critical] == ["commit"]
    assert not any("reproduce" in step for step in advice(root, run).next_steps)
