"""A plan is checked against its project: configurations, images, names, comparisons."""

import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from tests.planning.checking.plans import BASED, COMMON, SHOWN, Check, lines


def test_a_sound_plan(checked: Check) -> None:
    found = checked(
        COMMON
        + """\
baseline: plain
seeds: [1, 2]
experiments:
  plain: {}
  small:
    overrides: [data.batch_size=3]
    fallback: {oom: [data.batch_size=2], diverged: [optimizer.lr=1e-5]}
    gate: {after: plain, metric: val/accuracy, op: ">=", value: 0.3}
  best:
    base: {best_of: [small, folds], by: val/accuracy}
    overrides: [augment=none]
  folds:
    kind: cross-validate
    overrides: [optimizer=sgd]
    seeds: [5]
"""
    )
    assert (found.problems, found.missing) == ((), ())
    jobs = {one.job.id: one for one in found.jobs}
    assert list(jobs) == ["plain-s1", "plain-s2", "small-s1", "small-s2", "best-s1", "best-s2", "folds-s5"]
    small, best, folds = jobs["small-s2"], jobs["best-s1"], jobs["folds-s5"]
    assert (small.train_images, small.val_images, small.trainings) == (40, 40, 1)
    assert small.composed.settings.seed == 2
    assert small.composed.settings.run.name == "night-small"
    assert small.fallbacks["oom"].settings.data.batch_size == 2
    assert small.fallbacks["diverged"].settings.run.name == "night-small-diverged"
    assert best.bases.keys() == {"small", "folds"}
    assert best.bases["small"].settings.data.batch_size == 3
    assert best.bases["folds"].settings.optimizer.name == "sgd"
    assert best.composed == best.bases["small"]
    assert (folds.trainings, folds.train_images, folds.val_images) == (3, 59, 30)
    assert folds.composed.settings.data.fold == 0
    found.refuse()


def test_everything_wrong_at_once(checked: Check) -> None:
    found = checked(
        """\
baseline: plian
common: [data.name=tiny, model=tiny_cnn, data.imagesize=16, trainer.accelerator=cpu, seed=3]
experiments:
  plain:
    needs: [wide, folds]
  wide:
    overrides:
      - data.batch_size=0
      - optimizer=sgdd
      - data.batch_size=4
    fallback:
      oom: [data.batch_size=x]
      diverged: [trainer.max_epochs=0, run.name=y]
    gate: {after: plain, metric: val/accuracy, op: ">=", value: 1.2}
  next:
    base: {best_of: [wide, plian]}
    needs: [next]
  folds:
    kind: cross-validate
    overrides: [data.fold=1]
    shorten: true
"""
    )
    told = "\n".join(lines(found.problems))
    for said in (
        "1: baseline: plian is no experiment of this plan",
        "2: common.2: data.imagesize: unknown key; did you mean 'data.image_size'?",
        "2: common.4: seed=3: seeds are given by `seeds`",
        "4: experiments.plain: waits for itself: plain waits for wide waits for plain",
        "9: experiments.wide.overrides.1: optimizer=sgdd: no 'sgdd' in conf/optimizer; did you mean 'sgd'?",
        "10: experiments.wide.overrides.2: data.batch_size: set twice, by data.batch_size=0 and "
        "data.batch_size=4; keep one",
        "12: experiments.wide.fallback.oom.0: data.batch_size: expected a whole number from 1 to 4096, "
        'got "x" (after failing of oom)',
        "13: experiments.wide.fallback.diverged.0: trainer.max_epochs: expected a whole number of at least "
        "1, got 0 (after failing of diverged)",
        "13: experiments.wide.fallback.diverged.1: run.name=y: what is tried after a failure is named by it",
        "14: experiments.wide.gate: val/accuracy >= 1.2 can never be: the gate would decide nothing",
        "16: experiments.next.base.best_of.1: plian: no such experiment; did you mean 'plain'?",
        "17: experiments.next.needs.0: next would wait for itself",
        "20: experiments.folds.overrides.0: data.fold=1: every fold is trained; leave it out",
        "21: experiments.folds.shorten: a cross-validation has no end that could come earlier",
    ):
        assert said in told
    assert told.count("data.imagesize") == 1
    with pytest.raises(UsageError) as caught:
        found.refuse()
    assert caught.value.problems[: len(found.problems)] == found.problems


def test_circles_are_named_each_with_its_way(checked: Check) -> None:
    found = checked(
        COMMON
        + """\
experiments:
  a: {needs: [b]}
  b: {gate: {after: c, metric: val/f1, op: ">", value: 0.1}}
  c: {base: {best_of: [a]}}
  d: {needs: [e], overrides: [optimizer=sgd]}
  e: {needs: [d], overrides: [optimizer=lion]}
"""
    )
    circles = [line for line in found.problems if "waits for itself" in line]
    assert len(circles) == 2
    ways = [set(line.rpartition(": ")[2].split(" waits for ")) for line in circles]
    assert sorted(map(sorted, ways)) == [["a", "b", "c"], ["d", "e"]]


def test_jobs_that_differ_in_nothing(checked: Check) -> None:
    found = checked(
        COMMON
        + """\
seeds: [1, 2]
experiments:
  plain: {}
  same: {overrides: [optimizer=adamw, run.description="another text"], seeds: [2, 3]}
  copy: {base: {best_of: [plain]}}
  tried: {overrides: [data.batch_size=3], fallback: {oom: [data.batch_size=3], other: [logger=csv]}}
  folds: {kind: cross-validate}
"""
    )
    assert lines(found.problems) == [
        "5: experiments.same: jobs that differ in nothing: same-s2 and plain-s2",
        "6: experiments.copy: adds nothing to its base: whatever wins is trained again",
        "7: experiments.tried.fallback.oom: changes nothing: it would fail again",
        "7: experiments.tried.fallback.other: changes nothing: it would fail again",
    ]


def test_runs_of_one_name(checked: Check) -> None:
    long = "l" * 57
    found = checked(
        COMMON
        + f"""\
experiments:
  a: {{overrides: [run.name=x]}}
  b: {{overrides: [run.name=x, optimizer=sgd]}}
  c: {{fallback: {{oom: [data.batch_size=2]}}, overrides: [optimizer=lion]}}
  c-oom: {{overrides: [augment=none]}}
  {long}: {{fallback: {{diverged: [optimizer.lr=1e-5]}}, overrides: [augment=strong]}}
"""
    )
    told = "\n".join(lines(found.problems))
    assert "4: experiments.b: its runs are named x, as those of a are" in told
    assert (
        "6: experiments.c-oom: its runs are named night-c-oom, as those of c after failing of oom are" in told
    )
    assert f"7: experiments.{long}: its runs would be named night-{long}-diverged, 72 characters of" in told
    assert len(told.splitlines()) == 4  # the last one does not compose either


@pytest.mark.parametrize(
    ("overrides", "things"),
    [
        ("optimizer=sgd", ""),
        ("optimizer=sgd, data.batch_size=6", ""),  # what it is anyway
        ("optimizer.lr=0.01, optimizer=sgd", "2 things (optimizer, optimizer.lr)"),
        ("data.batch_size=3, augment=none", "2 things (augment, data.batch_size)"),
        (
            "trainer.early_stopping=null, trainer.max_epochs=4",
            "2 things (trainer.early_stopping, trainer.max_epochs)",
        ),
        ("experiment=smoke", ""),
        ("logger=csv, run.name=other, optimizer=sgd", ""),
        # More epochs would do without the longer warm-up.
        ("trainer.max_epochs=9, scheduler.warmup_epochs=5", "(trainer.max_epochs, scheduler.warmup_epochs)"),
        # Neither is a configuration without the other.
        ("model.fusion=concat, features=all_features", ""),
        (
            "model.fusion=concat, features=all_features, optimizer=sgd",
            "2 things (features with model.fusion, optimizer)",
        ),
    ],
)
def test_comparisons_that_are_not_controlled(checked: Check, overrides: str, things: str) -> None:
    found = checked(
        COMMON + f"baseline: plain\nexperiments:\n  plain: {{}}\n  x:\n    overrides: [{overrides}]\n"
    )
    assert found.problems == ()
    told = [line for line in lines(found.warnings) if "controlled" in line]
    assert len(told) == bool(things)
    assert all(line.startswith("5: experiments.x: differs from the baseline plain in") for line in told)
    assert all(things in line for line in told)


def test_data_that_are_missing_are_told_once_with_all_who_need_them(checked: Check, root: Path) -> None:
    found = checked(
        COMMON
        + """\
experiments:
  a: {overrides: [data.name=tinny]}
  b: {overrides: [data.name=tinny, optimizer=sgd]}
  c: {kind: cross-validate, overrides: [data.name=leaky]}
  d: {overrides: [model.fusion=concat, features=all_features]}
  e: {}
"""
    )
    assert found.problems == ()
    catalog, split, features = lines(found.missing)
    gone = f"{root}/data/raw/tinny.parquet: there is no data set 'tinny'"
    assert catalog == f"3: experiments.a.overrides.0: {gone} (for a, b)"
    assert split.startswith("5: experiments.c.overrides.0:")
    assert "there is no such split yet (for c)" in split
    assert features.startswith("6: experiments.d.overrides.1:")
    assert "features/tiny.parquet" in features
    assert [one.job.id for one in found.jobs] == ["e-s42"]
    with pytest.raises(DataError) as caught:
        found.refuse()
    assert caught.value.problems == found.missing


def test_files_that_are_gone_are_missed_before_the_night(checked: Check, root: Path) -> None:
    image = next((root / "data" / "raw" / "tiny").rglob("*.png"))
    content = image.read_bytes()
    try:
        image.unlink()
        found = checked(COMMON + "experiments: {a: {}}\n")
    finally:
        image.write_bytes(content)
    assert [line.endswith("no such file or directory (for a)") for line in found.missing] == [True]
    assert "data-import" in found.hint
    assert checked(COMMON + "experiments: {a: {}}\n").missing == ()


def test_leaks_and_few_images_are_warned_of_as_a_training_does(checked: Check) -> None:
    found = checked(
        COMMON + "experiments:\n  a: {overrides: [data.name=leaky, data.split=official]}\n"
        "  b: {overrides: [data.name=leaky]}\n"
    )
    assert found.problems == ()
    told = lines(found.warnings)
    assert told[0].startswith(
        "3: experiments.a.overrides.0: leaky, split official: official split: 9 of 48 test images are copies "
        "of training images; figures on them flatter (for a)"
    )
    assert any("leaky, split clean: test: few independent images (3 of normal)" in line for line in told)


def test_advice_is_given_once(checked: Check) -> None:
    found = checked(
        COMMON
        + "experiments:\n  a: {overrides: [sampler=class_balanced, loss=class_balanced], seeds: [1, 2]}\n"
        "  b: {overrides: [sampler=class_balanced, loss=class_balanced, optimizer=sgd]}\n"
    )
    told = [line for line in found.warnings if "both favour rare classes" in line]
    assert len(told) == 1
    assert told[0].endswith("(a, b)")


def test_runs_are_where_the_queue_looks_for_them(checked: Check) -> None:
    for words in ("paths.runs=elsewhere", "'paths={runs: elsewhere}'"):
        found = checked(COMMON + f"experiments: {{a: {{overrides: [{words}]}}}}\n")
        assert len(found.problems) == 1
        assert "paths.runs: the queue looks for its runs where conf/ says" in found.problems[0]


def test_torch_is_not_loaded(root: Path) -> None:
    (root / SHOWN).write_text(BASED + "  x: {overrides: [model=resnet50]}\n")
    program = (
        "import sys; from pathlib import Path\n"
        "from ctexp.planning.checking.check import check; from ctexp.planning.plan.load import load\n"
        f"found = check(load(Path('{root / SHOWN}'), '{SHOWN}'), Path('{root}'))\n"
        "assert len(found.jobs) == 2, found\n"
        "sys.exit(bool({'torch', 'pytorch_lightning', 'timm'} & set(sys.modules)))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
