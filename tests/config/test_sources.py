"""Files that are put together group by group are those that Hydra composes as a whole."""

from itertools import product
from pathlib import Path

import pytest

from ctexp.config import sources
from ctexp.config.files import from_files
from ctexp.config.groups import choices
from ctexp.config.keys import GROUPS
from ctexp.config.sources import Sources
from ctexp.core.errors import UsageError

Choices = dict[str, str | None]


def test_many_selections_are_composed_as_a_whole_twice(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed: list[Choices] = []

    def counting(conf: Path, selection: Choices) -> object:
        composed.append(selection)
        return from_files(conf, selection)

    monkeypatch.setattr(sources, "from_files", counting)
    conf = shipped / "conf"
    together = Sources(conf)
    selections: list[Choices] = [
        {"model": model, "loss": loss, "logger": "none"}
        for model, loss in product(("resnet18_se", "tiny_cnn"), ("focal", "cross_entropy"))
    ]
    found = [together.files(selection) for selection in selections]
    assert composed == [selections[0], {}]
    assert found == [from_files(conf, selection) for selection in selections]


@pytest.mark.slow
def test_every_file_of_every_group(shipped: Path) -> None:
    conf = shipped / "conf"
    together = Sources(conf)
    together.files({})
    for group in GROUPS:
        for name in choices(group, conf):
            assert together.files({group: name}) == from_files(conf, {group: name})


def test_files_that_start_from_others_are_merged_as_hydra_does(project: Path) -> None:
    conf = project / "conf"
    (conf / "model" / "mine.yaml").write_text("defaults: [dual_gated, _self_]\ndropout: 0.75\n")
    (conf / "model" / "yours.yaml").write_text("defaults: [_self_, mine]\ndropout: 0.25\n")
    together = Sources(conf)
    together.files({})
    for name, dropout in (("dual_gated", 0.2), ("mine", 0.75), ("yours", 0.75)):
        found = together.files({"model": name})
        assert found == from_files(conf, {"model": name})
        assert found.document["model"]["dropout"] == dropout


def test_files_that_start_from_each_other_are_refused(project: Path) -> None:
    conf = project / "conf"
    for name, other in (("mine", "yours"), ("yours", "mine")):
        (conf / "model" / f"{name}.yaml").write_text(f"defaults: [{other}, _self_]\n")
    together = Sources(conf)
    together.files({})
    with pytest.raises(UsageError, match="cannot be composed"):
        together.files({"model": "mine"})


def test_what_the_main_file_says_of_a_group_holds_for_every_choice(project: Path) -> None:
    conf = project / "conf"
    with (conf / "config.yaml").open("a") as config:
        config.write("\nmodel: {dropout: 0.5}\nloss: {label_smoothing: 0.2}\n")
    together = Sources(conf)
    for chosen in ("tiny_cnn", "resnet50"):
        selection: Choices = {"model": chosen, "loss": "focal"}
        assert together.files(selection) == from_files(conf, selection)


@pytest.mark.parametrize("experiment", ["smoke", None])
def test_an_experiment_has_a_say_in_every_group(project: Path, experiment: str | None) -> None:
    conf = project / "conf"
    config = conf / "config.yaml"
    config.write_text(config.read_text().replace("experiment: null", "experiment: quickstart"))
    together = Sources(conf)
    selections: list[Choices] = [
        {"model": "resnet18", "experiment": None},
        {"loss": "focal", "experiment": None},
        {"model": "resnet18", "experiment": experiment},
        {"model": "resnet18", "loss": "focal"},
        {"model": "resnet18", "loss": "focal", "experiment": None},
    ]
    for selection in selections:
        assert together.files(selection) == from_files(conf, selection), selection


def test_a_broken_default_that_nobody_chooses_stops_nobody(project: Path) -> None:
    conf = project / "conf"
    (conf / "model" / "resnet18.yaml").write_text("name: [")
    together = Sources(conf)
    for loss in ("focal", "cross_entropy"):
        selection: Choices = {"model": "tiny_cnn", "loss": loss}
        assert together.files(selection) == from_files(conf, selection)
    with pytest.raises(UsageError, match="not valid YAML"):
        together.files({"loss": "focal"})
