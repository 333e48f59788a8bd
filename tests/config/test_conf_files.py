"""Every file that is shipped composes, alone and as part of an experiment."""

from pathlib import Path

import pytest

from ctexp.config import groups, timm_names
from ctexp.config.compose import compose
from ctexp.config.keys import EXPERIMENT, GROUPS
from ctexp.core import yaml_file

CONF = Path(__file__).parents[2] / "conf"
CHOICES = [(group, name) for group in sorted((*GROUPS, EXPERIMENT)) for name in groups.choices(group, CONF)]


# What makes no sense alone: features without a network that takes them, and the other way round.
NEEDS = {
    "model=dual_pathway": ["features=all_features"],
    "model=dual_gated": ["features=all_features"],
    **{
        f"features={name}": ["model=dual_pathway"]
        for name in ("all_features", "top_features", "bottom_features")
    },
}


def choose(choice: str) -> list[str]:
    """The overrides that choose a file, with what it needs."""
    return [choice, *NEEDS.get(choice, [])]


def test_every_yaml_file_is_a_choice_of_a_group() -> None:
    paths = [path.relative_to(CONF) for path in CONF.rglob("*.yaml")]
    elsewhere = ("executor", "moves", "sweep")  # read by executors, the planner and sweeps
    files = {path.as_posix() for path in paths if path.parts[0] not in elsewhere} - {
        "config.yaml",
        "local.yaml",
        "verdict.yaml",  # read by verdicts, not by trainings
    }
    assert files == {f"{group}/{name}.yaml" for group, name in CHOICES}


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_a_shipped_file_composes(shipped: Path, group: str, name: str) -> None:
    composed = compose(choose(f"{group}={name}"), shipped)
    said = yaml_file.read_mapping(CONF / group / f"{name}.yaml")
    said.pop("defaults", None)
    expected = {group: said} if group != EXPERIMENT else said
    for key, values in expected.items():
        assert composed.resolved[key].items() >= values.items()


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_a_shipped_file_says_what_it_is_for(group: str, name: str) -> None:
    assert "# " in (CONF / group / f"{name}.yaml").read_text()


def test_models_are_pretrained_but_for_the_tiny_one(shipped: Path) -> None:
    for name in groups.choices("model", CONF):
        model = compose(choose(f"model={name}"), shipped).settings.model
        assert model.pretrained == (name != "tiny_cnn")
        assert model.in_channels == 1
        assert model.name == "tiny_cnn" or timm_names.is_known(model.name)


def test_the_defaults_are_those_documented(shipped: Path) -> None:
    settings = compose([], shipped).settings
    assert settings.seed == 42
    assert (settings.data.name, settings.data.split, settings.data.fold) == ("chest_ct", "auto", None)
    assert (settings.logger.name, settings.logger.mode) == ("wandb", "offline")
    assert settings.git.dirty == "ask"
    assert settings.trainer.monitor == "val/macro_f1"


def test_the_quickstart_needs_no_download(shipped: Path) -> None:
    settings = compose(["experiment=quickstart"], shipped).settings
    assert settings.data.name == "phantom"
    assert not settings.model.pretrained
    assert settings.run.name == "quickstart"


def test_one_epoch_of_any_schedule_is_possible(shipped: Path) -> None:
    for name in groups.choices("scheduler", CONF):
        assert (
            compose([f"scheduler={name}", "trainer.max_epochs=1"], shipped).settings.trainer.max_epochs == 1
        )
