"""Keys that nothing has read: found, explained where there is a reason, and told to whom it concerns."""

import sys
import timeit
from pathlib import Path

import pytest

from ctexp.config import reading
from ctexp.config.compose import compose, load
from ctexp.config.keys import keys
from ctexp.config.schema import Settings
from tests.project import HERE

CONF = HERE / "conf"


def composed(*words: str) -> Settings:
    return compose(words, HERE).settings


def read_all(settings: Settings, but: str = "") -> None:
    """Ask for every key by its name, except one."""

    def read(part: object, prefix: str) -> None:
        for name, value in vars(part).items():
            if f"{prefix}{name}" != but:
                getattr(part, name)
            if hasattr(value, "watch"):
                read(value, f"{prefix}{name}.")

    read(settings, "")


def test_nothing_is_read_by_composing_loading_dumping_comparing_or_describing(tmp_path: Path) -> None:
    found = compose(["trainer.early_stopping=null"], HERE)
    config = tmp_path / "config.yaml"
    config.write_text(found.yaml)
    for settings in (found.settings, load(config, found.sha256)):
        settings.model_dump()
        settings.model_dump_json()
        repr(settings)
        assert settings == found.settings.unwatched()
        read_all(settings.unwatched())
        unread = reading.unread(settings)
        assert set(unread) <= set(keys())
        assert {"seed", "optimizer.lr", "trainer.early_stopping", "augment.noise", "run.tags"} <= set(unread)
        assert "optimizer.name" not in unread  # that one was read: it made the class


@pytest.mark.parametrize("key", ["seed", "optimizer.lr", "trainer.early_stopping.patience", "augment.crop"])
def test_what_is_asked_for_by_name_is_read(key: str) -> None:
    settings = composed()
    read_all(settings, but=key)
    assert reading.unread(settings) == (key,)


def test_a_copy_shares_what_it_did_not_change() -> None:
    """Folds and retries are copies with another group in them."""
    settings = composed()
    copy = settings.model_copy(update={"data": settings.data.model_copy(update={"fold": 1})})
    read_all(copy)
    assert all(key.startswith("data.") or "." not in key for key in reading.unread(settings))
    assert reading.unread(copy) == ()


def test_the_user_hears_of_what_he_typed_by_name() -> None:
    words = ["optimizer.lr=0.3", "run.tags=[a]"]
    settings = composed(*words)
    warned = reading.warnings(["optimizer.lr", "optimizer.beta1"], settings, words, CONF)
    assert warned == ["optimizer.lr: nothing read it in this run, it had no effect"]


def test_the_user_hears_of_what_his_experiment_or_his_choice_of_a_group_sets() -> None:
    words = ["experiment=quickstart", "scheduler=plateau"]
    settings = composed(*words)
    ours = ["data.image_size", "scheduler.patience", "optimizer.lr", "optimizer.beta1", "model.fusion"]
    told = [line.partition(":")[0] for line in reading.warnings(ours, settings, words, CONF)]
    assert told == ["data.image_size", "scheduler.patience", "optimizer.lr", "model.fusion"]
    assert reading.warnings(ours, composed(), [], CONF) == []


def test_what_is_idle_for_a_reason_is_told_with_it_and_only_where_it_was_typed() -> None:
    settings = composed("logger=none")
    idle = ["logger.project", "logger.mode"]
    assert reading.warnings(idle, settings, ["logger=none"], CONF) == []
    (line,) = reading.warnings(idle, settings, ["logger=none", "logger.project=x"], CONF)
    assert line == (
        "logger.project: nothing read it in this run, it had no effect (W&B, MLflow and Comet have it)"
    )
    assert reading.reason("logger.project", composed("logger=wandb")) == ""


def test_the_reasons_are_about_keys_that_exist() -> None:
    assert reading.IDLE.keys() <= keys().keys()


def test_an_experiment_that_is_gone_or_broken_by_now_says_nothing(tmp_path: Path) -> None:
    words = ["experiment=mine"]
    settings = composed()
    assert reading.warnings(["seed"], settings, words, tmp_path) == []
    (tmp_path / "experiment").mkdir()
    mine = tmp_path / "experiment" / "mine.yaml"
    mine.write_text("seed: 1\n")
    assert len(reading.warnings(["seed"], settings, words, tmp_path)) == 1
    mine.write_text("seed: [\n")
    assert reading.warnings(["seed"], settings, words, tmp_path) == []


@pytest.mark.skipif(sys.gettrace() is not None, reason="being traced costs more than what is measured")
def test_being_watched_costs_next_to_nothing() -> None:
    """A step asks for a score of attributes; the shortest step takes more than a millisecond."""
    optimizer = composed().optimizer
    assert min(timeit.repeat(lambda: optimizer.lr, number=1000, repeat=20)) / 1000 < 5e-6
