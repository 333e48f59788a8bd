"""A plan is checked against its project: configurations, images, names, comparisons, criteria."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.data import catalog as catalogs
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import make
from ctexp.planning.checking.check import check
from ctexp.planning.checking.checked import Checked
from ctexp.planning.plan.load import load
from tests.leaky import add_leaky_set
from tests.project import TINY, add_tiny_set, make_project

Check = Callable[[str], Checked]
COMMON = f"common: [{', '.join(TINY)}, git.dirty=warn]\n"
SHOWN = "research/plans/night.yaml"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a small set in three folds, and a leaky one."""
    project = make_project(tmp_path_factory.mktemp("planned") / "project")
    add_tiny_set(project, train=40, val=40)
    add_leaky_set(project)
    catalog = catalogs.load(project / "data", "tiny")
    file = split_file.split_file(project / "research" / "splits", "tiny", "kfold")
    file.parent.mkdir(parents=True)
    file.write_text(split_file.as_text(catalog, make(catalog, "kfold", folds=3)))
    (project / "research" / "plans").mkdir()
    return project


@pytest.fixture
def checked(root: Path) -> Check:
    def call(text: str) -> Checked:
        file = root / SHOWN
        file.write_text(text)
        return check(load(file, SHOWN), root)

    return call


def lines(found: tuple[str, ...]) -> list[str]:
    return [line.removeprefix(f"{SHOWN}:") for line in found]


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
        "20: experiments.folds.overrides.0: data.fold=1: every fold is trained; leave it away",
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


BASED = COMMON + "baseline: plain\nexperiments:\n  plain: {}\n"


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ("{metric: val/accuracy, op: '>=', value: 0.93}", "even with every answer right the lower end"),
        ("{metric: val/macro_f1, op: '>', value: 0.95}", "cannot be decided by 40 validation images"),
        ("{metric: val/miss_rate, op: '<=', value: 0.05}", "even with every answer right the upper end"),
        ("{metric: val/accuracy, op: '>=', value: 1.01}", "can never be"),
        (
            "{metric: val/accuracy, better_than: baseline, by: 0.1}",
            "the smallest that any test could call one",
        ),
        ("{metric: val/macro_f1, better_than: baseline, by: 0.01}", "is at best 0."),
    ],
)
def test_criteria_that_nothing_in_the_plan_could_decide(checked: Check, success: str, said: str) -> None:
    found = checked(BASED + f"  x:\n    overrides: [optimizer=sgd]\n    success: {success}\n")
    assert len(found.problems) == 1
    assert lines(found.problems)[0].startswith("7: experiments.x.success")
    assert said in found.problems[0]


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ("{metric: val/accuracy, op: '>=', value: 0.8}", "only where the truth is at least 0.9"),
        ("{metric: val/miss_rate, op: '<', value: 0.2}", "only where the truth is at most 0.0"),
        ("{metric: val/accuracy, op: '>=', value: 0}", "always holds: the criterion decides nothing"),
        ("{metric: val/accuracy, op: '<', value: 0.5}", "higher is better, is the other way meant?"),
        (
            "{metric: val/accuracy, better_than: baseline, by: 0.2}",
            "detectable four times in five is at best",
        ),
        (
            "{metric: val/macro_f1, better_than: baseline}",
            "of 0.02 (worthwhile, of conf/verdict.yaml) will hardly",
        ),
    ],
)
def test_criteria_that_will_hardly_be_decided(checked: Check, success: str, said: str) -> None:
    found = checked(BASED + f"  x:\n    overrides: [optimizer=sgd]\n    success: {success}\n")
    assert found.problems == ()
    assert any(said in line for line in lines(found.warnings) if line.startswith("7: experiments.x.success:"))


def test_criteria_that_can_be_decided_are_not_spoken_of(checked: Check) -> None:
    found = checked(
        BASED + "  x:\n    overrides: [optimizer=sgd]\n"
        "    success: {metric: val/macro_f1, better_than: baseline, by: 0.6}\n"
        "  y:\n    overrides: [optimizer=lion]\n    success: {metric: val/auroc, op: '>', value: 0.9}\n"
    )
    assert not [line for line in (*found.problems, *found.warnings) if "success" in line]


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (
            "kind: cross-validate",
            "the baseline plain on tiny, split official: what is not judged on the same",
        ),
        ("overrides: [data.name=leaky]", "x is judged on leaky, split clean, the baseline plain on tiny"),
    ],
)
def test_what_is_judged_on_other_images_is_not_compared(checked: Check, experiment: str, said: str) -> None:
    criterion = "success: {metric: val/macro_f1, better_than: baseline, by: 0.6}"
    found = checked(BASED + f"  x:\n    {experiment}\n    {criterion}\n")
    assert len(found.problems) == 1
    assert lines(found.problems)[0].startswith("7: experiments.x.success.better_than: x is judged on")
    assert said in found.problems[0]


def test_better_than_which_baseline(checked: Check) -> None:
    criterion = "success: {metric: val/macro_f1, better_than: baseline, by: 0.6}"
    found = checked(COMMON + f"experiments:\n  x:\n    {criterion}\n")
    assert lines(found.problems) == ["4: experiments.x.success.better_than: the plan names no baseline"]
    found = checked(COMMON + f"baseline: x\nexperiments:\n  x:\n    {criterion}\n")
    assert lines(found.problems) == ["5: experiments.x.success.better_than: x is the baseline itself"]
    found = checked(COMMON + f"baseline: last-year\nexperiments:\n  x:\n    {criterion}\n")
    assert lines(found.missing)[0].startswith("2: baseline: last-year is no experiment of this plan, and ")


def test_the_target_is_for_the_best_of_the_plan(checked: Check) -> None:
    target = "target: {metric: val/accuracy, op: '>=', value: 0.95}\n"
    found = checked(target + COMMON + "experiments: {a: {}}\n")
    assert lines(found.problems)[0].startswith("1: target: val/accuracy >= 0.95 cannot be decided by 40")
    found = checked(target + COMMON + "experiments: {a: {}, b: {kind: cross-validate}}\n")
    assert found.problems == ()
    assert lines(found.warnings)[0].startswith("1: target: val/accuracy >= 0.95: on 88 validation images")


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
