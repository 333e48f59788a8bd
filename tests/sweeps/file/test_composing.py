"""Before a sweep exists its trials are composed: what does not fit is told where it stands."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.sweeps.file import expressions
from ctexp.sweeps.file.composing import Trials
from ctexp.sweeps.file.load import load
from tests.sweeps.file.sheets import HEAD, read

CONF = Path(__file__).parents[3] / "conf"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that no test changes, without anybody's local settings."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(CONF, folder / "conf", ignore=shutil.ignore_patterns("local.yaml"))
    return folder


def test_every_problem_with_its_line(tmp_path: Path, project: Path) -> None:
    spec = read(
        tmp_path,
        f"""{HEAD}parameters:
  learning_rate: {{min: 0.001, max: 0.1}}
  optimizer.lr: {{min: -1.0, max: 0.1}}
  model: {{values: [resnet18, resnet5]}}
  loss: {{values: [cross_entropy, focal]}}
  loss.gamma: {{values: [1.0, 2.0]}}
  data.batch_size: {{values: [8, 16.5]}}
ctexp:
  overrides: [data=phantom, trainer.max_epoch=3]
""",
    )
    assert Trials(project, spec, ["augmnt=none"]).problems() == [
        "augmnt: unknown key; did you mean 'augment'?",
        "some.yaml:5: parameters.learning_rate: unknown key; did you mean 'optimizer.lr'?",
        "some.yaml:6: parameters.optimizer.lr: expected a number above 0, got -1.0",
        "some.yaml:7: parameters.model: model=resnet5: no 'resnet5' in conf/model; did you mean 'resnet50'?",
        "some.yaml:9: parameters.loss.gamma: does not belong to loss=cross_entropy; it is of loss=focal; "
        "say when it applies, under ctexp.conditions",
        "some.yaml:10: parameters.data.batch_size: expected a whole number from 1 to 4096, got 16.5",
        "some.yaml:12: ctexp.overrides: trainer.max_epoch: unknown key; did you mean 'trainer.max_epochs'?",
    ]


def test_a_condition_makes_it_fit(tmp_path: Path, project: Path) -> None:
    spec = read(
        tmp_path,
        f"""{HEAD}parameters:
  loss: {{values: [cross_entropy, focal]}}
  loss.gamma: {{min: 0.5, max: 3.0}}
ctexp: {{conditions: {{loss.gamma: loss == 'focal'}}}}
""",
    )
    trials = Trials(project, spec)
    assert trials.problems() == []
    assert {values.get("loss.gamma") for values in trials.looked_at} == {None, 0.5, 3.0}


def test_two_values_that_only_together_do_not_fit(tmp_path: Path, project: Path) -> None:
    text = f"""{HEAD}parameters:
  data.batch_size: {{values: [8, 16]}}
  trainer.max_epochs: {{values: [20, 5]}}
  scheduler.warmup_epochs: {{values: [1, 10]}}
"""
    assert Trials(project, read(tmp_path, text)).problems() == [
        "some.yaml:7: parameters.scheduler.warmup_epochs: 10 is not less than trainer.max_epochs=5: "
        "the learning rate would never be reached"
    ]
    kept = f"{text}ctexp: {{constraints: [scheduler.warmup_epochs < trainer.max_epochs]}}\n"
    assert Trials(project, read(tmp_path, kept)).problems() == []


def test_a_parameter_that_changes_nothing(tmp_path: Path, project: Path) -> None:
    spec = read(
        tmp_path,
        f"{HEAD}parameters:\n  optimizer.lr: {{values: [1e-3, 1e-4]}}\n  logger: {{values: [csv, none]}}\n",
    )
    assert Trials(project, spec).problems() == [
        "some.yaml:6: parameters.logger: changes nothing: every value of it is the same training"
    ]


def test_trials_are_the_same_by_what_they_train(tmp_path: Path, project: Path) -> None:
    spec = read(tmp_path, f"{HEAD}parameters:\n  optimizer.lr: {{min: 1e-5, max: 1e-2}}\n")
    trials = Trials(project, spec)
    default = trials.composed({}).resolved["optimizer"]["lr"]
    assert trials.identity({"optimizer.lr": default}) == trials.identity({})
    assert trials.identity({"optimizer.lr": 0.002}) != trials.identity({})
    named = Trials(project, spec, ["run.name=other", "logger=none", "seed=7"])
    assert named.identity({}) == trials.identity({})
    assert named.words({"optimizer.lr": 0.002}) == ("logger=none", "optimizer.lr=0.002")


def test_no_values_that_all_constraints_hold_of(tmp_path: Path, project: Path) -> None:
    spec = read(
        tmp_path,
        f"{HEAD}parameters: {{optimizer.lr: {{min: 1e-5, max: 1e-2}}}}\n"
        "ctexp: {constraints: [optimizer.lr > 1]}\n",
    )
    assert Trials(project, spec).problems() == [
        "some.yaml:1: no values were found that all constraints hold of"
    ]


@pytest.mark.parametrize("path", sorted((CONF / "sweep").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_sweeps_compose_on_the_phantom_set(path: Path, project: Path) -> None:
    spec = load(path, f"conf/sweep/{path.name}")
    assert spec.ignored == ()
    assert spec.name == path.stem
    assert Trials(project, spec, ["data=phantom", "experiment=smoke"]).problems() == []
    assert path.read_text().startswith("# ")


def test_however_many_values_there_are_a_look_at_some_is_enough(tmp_path: Path, project: Path) -> None:
    many = ", ".join(map(str, range(1, 3000)))
    spec = read(
        tmp_path,
        f"""{HEAD}parameters:
  data.batch_size: {{values: [{many}]}}
  trainer.max_epochs: {{values: [{many}]}}
""",
    )
    assert len(Trials(project, spec).looked_at) == 600
    nothing = replace(spec.space, constraints=(expressions.read("data.batch_size > 5000", lacking=True),))
    assert Trials(project, replace(spec, space=nothing)).looked_at == []
