"""Many configurations composed together are those that are composed one by one."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.config.compose import Composer, compose
from ctexp.config.keys import GROUPS, keys
from ctexp.config.reading import unread
from ctexp.core.errors import UsageError

CHOICES = st.sampled_from(
    [
        *("model=resnet18", "model=tiny_cnn", "model=dual_pathway", "optimizer=sgd", "optimizer=lion"),
        *("scheduler=step", "loss=focal", "averaging=swa", "features=all_features", "logger=csv"),
        *("experiment=smoke", "+experiment=recommended", "~experiment", "data=phantom", "augment=none"),
        *("model=nothing", "model=[a]", "data=null"),
    ]
)
VALUES = st.sampled_from(["", "1", "0", "0.5", "1e-3", "null", "true", "a", "[a]", "{a:1}", "sgd", "a,b"])
KEYS = st.builds("{}={}".format, st.sampled_from(sorted([*keys(), *GROUPS, "lr", "data.batchsize"])), VALUES)
GOOD = st.sampled_from(
    [
        *("optimizer.lr=0.01", "data.batch_size=8", "seed=7", "run.tags=[a,b]", "run.name=x-1"),
        *("trainer.early_stopping={patience:3,min_delta:0}", "trainer.early_stopping=null", "seed=8"),
        *("model.pretrained=false", "finetune.head_epochs=2", "trainer.max_epochs=5", "logger.mode=online"),
    ]
)
WORDS = st.lists(st.one_of(CHOICES, GOOD, GOOD, KEYS), max_size=5)


def outcome(composer: Composer | None, words: list[str], root: Path) -> object:
    """Everything a caller sees of a composition, or of its refusal."""
    try:
        composed = composer.compose(words) if composer else compose(words, root)
    except UsageError as error:
        return error.problems, error.hint
    return composed, composed.yaml, composed.settings


@settings(max_examples=10, deadline=None)
@given(jobs=st.lists(WORDS, min_size=1, max_size=3))
def test_together_and_one_by_one(shipped: Path, jobs: list[list[str]]) -> None:
    composer = Composer(shipped)
    together = [outcome(composer, words, shipped) for words in [*jobs, *jobs]]
    assert together == [outcome(None, words, shipped) for words in jobs] * 2


def test_an_experiment_wins_over_groups_chosen_beside_it(shipped: Path) -> None:
    recommended = "experiment=recommended"
    jobs = [
        [recommended],
        [recommended, "model=resnet50", "augment=none"],
        [recommended, "loss=class_balanced"],
        [recommended, "loss=focal"],  # refused: the experiment sets what this loss does not have
        ["experiment=smoke", "data=phantom"],
    ]
    composer = Composer(shipped)
    assert [outcome(composer, words, shipped) for words in jobs] == [
        outcome(None, words, shipped) for words in jobs
    ]


def test_what_one_job_does_with_its_configuration_reaches_no_other(shipped: Path) -> None:
    composer = Composer(shipped)
    words = ["run.tags=[a]", "trainer.early_stopping={patience:3,min_delta:0}"]
    first = composer.compose(words)
    first.resolved["run"]["tags"].append("b")
    first.resolved["trainer"]["early_stopping"]["patience"] = 9
    assert first.settings.seed == 42
    assert "seed" not in unread(first.settings)
    second = composer.compose(words)
    assert second == compose(words, shipped)
    assert "seed" in unread(second.settings)


def test_personal_settings_hold_for_all(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "conf" / "local.yaml").write_text("logger: {name: csv}\n")
    monkeypatch.setenv("WANDB_MODE", "online")
    composer = Composer(project)
    assert composer.compose([]) == compose([], project)
    assert composer.compose(["logger=wandb"]).settings.logger.mode == "online"
    assert composer.compose([]).settings.logger.name == "csv"
