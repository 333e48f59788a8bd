"""Files, a person's own settings, the environment and the command line: who wins, and who is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.config.compose import compose

Refusal = Callable[..., list[str]]


def write(project: Path, name: str, text: str) -> None:
    (project / "conf" / name).write_text(text)


EXPERIMENT = "# @package _global_\n"


def test_the_command_line_beats_an_experiment_beats_a_group(project: Path) -> None:
    write(
        project,
        "experiment/night.yaml",
        EXPERIMENT + "defaults:\n  - override /optimizer: sgd\noptimizer:\n  lr: 0.3\nseed: 7\n",
    )
    settings = compose(["experiment=night", "optimizer.lr=0.2"], project).settings
    assert settings.optimizer.model_dump() == {
        "name": "sgd",
        "lr": 0.2,
        "weight_decay": 1e-4,
        "momentum": 0.9,
        "nesterov": True,
    }
    assert (settings.seed, settings.run.name) == (7, "night")
    assert compose(["experiment=night", "optimizer=adamw"], project).settings.optimizer.lr == 0.3


def test_an_experiment_may_start_from_another(project: Path) -> None:
    write(project, "experiment/longer.yaml", EXPERIMENT + "defaults: [quickstart, _self_]\nseed: 3\n")
    settings = compose(["experiment=longer"], project).settings
    assert (settings.seed, settings.data.name, settings.run.name) == (3, "phantom", "longer")


def test_a_group_file_of_ones_own(project: Path) -> None:
    write(project, "augment/flip.yaml", "defaults: [none, _self_]\nvertical_flip: 0.5\n")
    assert compose(["augment=flip"], project).settings.augment.vertical_flip == 0.5


def test_a_run_is_named_after_what_it_is(project: Path) -> None:
    names = {
        (): "resnet18",
        ("model=vit_small",): "vit_small",
        ("model.name=resnet50.a1_in1k",): "resnet50-a1_in1k",
        ("experiment=quickstart", "model=resnet34"): "quickstart",
        ("run.name=mine",): "mine",
        ("run.name=null",): "resnet18",
    }
    for overrides, name in names.items():
        assert compose(overrides, project).settings.run.name == name


def test_local_settings_beat_files_and_lose_to_the_command_line(project: Path) -> None:
    write(
        project,
        "local.yaml",
        "logger: {name: csv, project: mine}\npaths: {data: /mnt/ct}\ngit: {dirty: refuse}\n",
    )
    settings = compose([], project).settings
    assert (settings.logger.name, settings.logger.project) == ("csv", "mine")
    assert (settings.paths.data, settings.paths.runs) == ("/mnt/ct", "runs")
    assert settings.git.dirty == "refuse"
    said = compose(["git.dirty=warn", "logger.project=ours", "logger.name=none"], project).settings
    assert (said.git.dirty, said.logger.project, said.logger.name) == ("warn", "ours", "none")


@pytest.mark.parametrize("chosen", ["wandb", "csv", "none"])
def test_a_logger_chosen_on_the_command_line_is_that_logger(
    project: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    write(project, "local.yaml", "logger: {name: csv, entity: lab}\n")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    logger = compose([f"logger={chosen}"], project).settings.logger
    assert (logger.name, logger.entity) == (chosen, "lab")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data: {batch_size: 8}", "conf/local.yaml: data: only logger, paths, git, notify may be set here"),
        ("seed: 3", "what can change a result belongs in a tracked file of conf/ or on the command line"),
        ("defaults: [{override /model: resnet34}]", "conf/local.yaml: defaults: only logger"),
        ("logger: csv", "conf/local.yaml: logger: expected keys below it, for example logger: {name: csv}"),
        ("paths: {data: '${oc.env:HOME}'}", "conf/local.yaml: paths.data: interpolations"),
        (
            "logger: {proiect: x}",
            "logger.proiect (conf/local.yaml): unknown key; did you mean 'logger.project'?",
        ),
        ("git: {dirty: no}", 'git.dirty (conf/local.yaml): expected one of ask, warn, refuse, got "no"'),
        ("git: {dirty: ask, dirty: warn}", "conf/local.yaml:1: git.dirty: given twice"),
        ("- x", "conf/local.yaml: expected keys and values"),
    ],
)
def test_local_settings_cannot_change_a_result(
    project: Path, refusal: Refusal, text: str, expected: str
) -> None:
    write(project, "local.yaml", text)
    (line,) = refusal(project)
    assert expected in line


def test_the_tracker_s_variables_lie_between_files_and_command_line(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "local.yaml", "logger: {project: local, mode: offline}\n")
    monkeypatch.setenv("WANDB_PROJECT", "environment")
    monkeypatch.setenv("WANDB_ENTITY", "lab")
    monkeypatch.setenv("WANDB_MODE", "online")
    logger = compose([], project).settings.logger
    assert (logger.project, logger.entity, logger.mode) == ("environment", "lab", "online")
    logger = compose(["logger.project=said", "logger.mode=offline"], project).settings.logger
    assert (logger.project, logger.mode) == ("said", "offline")


def test_a_disabled_tracker_is_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert compose([], project).settings.logger.name == "none"
    assert compose(["logger=csv"], project).settings.logger.name == "csv"
    assert compose(["logger.mode=online"], project).settings.logger.name == "wandb"
    write(project, "local.yaml", "logger: {name: csv}\n")
    assert compose([], project).settings.logger.name == "csv"


def test_several_trackers_and_what_a_person_says_of_them(
    project: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "local.yaml", "logger: {also: [mlflow]}\n")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker:5000")
    logger = compose([], project).settings.logger
    assert (logger.kinds, logger.url) == (("wandb", "mlflow"), "http://tracker:5000")
    assert compose(["logger=none"], project).settings.logger.kinds == ()
    logger = compose(["logger.also=[csv,tensorboard]"], project).settings.logger
    assert (logger.kinds, logger.url) == (("wandb", "csv", "tensorboard"), None)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert compose([], project).settings.logger.kinds == ("mlflow",)
    assert compose(["logger=csv", "logger.also=[wandb]"], project).settings.logger.kinds == ("csv", "wandb")
    (line,) = refusal(project, "logger=csv", "logger.also=[csv]")
    assert "csv is named twice" in line
    (line,) = refusal(project, "logger=mlflow", "logger.url=http://me:secret@tracker:5000")
    assert "http://HOST:PORT without a password" in line


def test_a_variable_that_cannot_be_used_is_named(
    project: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "onlin")
    monkeypatch.setenv("WANDB_PROJECT", "a/b")
    lines = refusal(project)
    assert "WANDB_MODE=onlin: expected online, offline or disabled" in lines[0]
    assert "logger.project (WANDB_PROJECT): expected a name without" in lines[1]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "model/mine.yaml",
            "name: resnet18",
            "model.pretrained (conf/model/mine.yaml): missing; expected true",
        ),
        ("model/mine.yaml", "defaults: [resnet18]\nnam: x", "model.nam (conf/model/mine.yaml): unknown key"),
        (
            "model/mine.yaml",
            "defaults: [resnet81]",
            "conf/model/mine.yaml: defaults: 'resnet81': no 'resnet81'",
        ),
        ("model/mine.yaml", "defaults: [mine]", "a file cannot start from itself"),
        ("model/mine.yaml", "defaults: [../data/phantom]", "is a path"),
        (
            "model/mine.yaml",
            "defaults: [{/data: phantom}]",
            "a file of model cannot choose files of other groups",
        ),
        ("model/mine.yaml", "defaults: resnet18", "conf/model/mine.yaml: defaults: expected a list"),
        ("model/mine.yaml", "defaults: [resnet18]\ndropout: ???", "dropout: ??? means a missing value"),
        ("model/mine.yaml", "defaults: [resnet18]\nweights: ${oc.env:HOME}", "weights: interpolations"),
        (
            "model/mine.yaml",
            "defaults: [resnet18]\ndropout: 2",
            "model.dropout (conf/model/mine.yaml): expected",
        ),
        ("model/mine.yaml", "# @package _global_\nseed: 3", "`# @package _global_` is for experiments only"),
        ("model/mine.yaml", "name: a\nname: b", "conf/model/mine.yaml:2: name: given twice, first on line 1"),
        ("model/mine.yaml", "a: &a [x]\nb: *a", "conf/model/mine.yaml:2: b: aliases"),
        ("model/mine.yaml", "a: " + "[" * 5000, "conf/model/mine.yaml:1: nested more than 20 deep"),
        ("model/mine.yaml", "[", "conf/model/mine.yaml:1: not valid YAML"),
        ("experiment/mine.yaml", "seed: 3", "conf/experiment/mine.yaml: an experiment begins with the line"),
        (
            "experiment/mine.yaml",
            EXPERIMENT + "data: {batchsize: 3}",
            "data.batchsize (conf/experiment/mine.yaml)",
        ),
        ("experiment/mine.yaml", EXPERIMENT + "model: resnet50", "(- override /model: resnet50)"),
        ("experiment/mine.yaml", EXPERIMENT + "hydra: {run: {dir: /}}", "hydra: Hydra's own settings"),
        ("experiment/mine.yaml", EXPERIMENT + "speed: 3", "speed (conf/experiment/mine.yaml): unknown key"),
        (
            "experiment/mine.yaml",
            EXPERIMENT + "defaults: [{override /model: resnett50}]",
            "mine.yaml: defaults: {'override /model': 'resnett50'}: no 'resnett50' in conf/model; did",
        ),
        (
            "experiment/mine.yaml",
            EXPERIMENT + "defaults: [{override /modl: x}]",
            "no group 'modl'; did you mean 'model'",
        ),
        (
            "experiment/mine.yaml",
            EXPERIMENT + "defaults: [{model: resnet50}]",
            "expected override /<group>: <file>",
        ),
        ("experiment/mine.yaml", EXPERIMENT + "defaults: [3]", "expected _self_ or <group>: <file>"),
    ],
)
def test_a_broken_file_is_named(project: Path, refusal: Refusal, name: str, text: str, expected: str) -> None:
    write(project, name, text)
    lines = refusal(project, f"{name.partition('/')[0]}=mine")
    assert any(expected in line for line in lines), lines


def test_files_that_start_from_each_other_are_refused(project: Path, refusal: Refusal) -> None:
    write(project, "model/one.yaml", "defaults: [two]\n")
    write(project, "model/two.yaml", "defaults: [one]\n")
    assert "conf: cannot be composed" in refusal(project, "model=one")[0]


def test_a_broken_file_that_is_not_used_harms_nobody(project: Path) -> None:
    write(project, "model/mine.yaml", "[")
    assert compose([], project).settings.model.name == "resnet18"


def test_a_project_without_its_configuration(tmp_path: Path, refusal: Refusal) -> None:
    (line,) = refusal(tmp_path)
    assert "conf/config.yaml: no such file -> restore it from git" in line


def test_a_group_left_out_of_the_defaults_is_missed(project: Path, refusal: Refusal) -> None:
    config = (project / "conf" / "config.yaml").read_text()
    write(project, "config.yaml", config.replace("  - loss: cross_entropy\n", ""))
    (line,) = refusal(project)
    assert "loss (conf/config.yaml): missing" in line
