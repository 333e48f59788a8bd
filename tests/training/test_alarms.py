"""What a real run notices about itself: settings without effect, predictions made before, its health."""

import contextlib
import shutil
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import torch
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.config import reading
from ctexp.config.compose import compose
from ctexp.config.groups import choices
from ctexp.core.errors import Stopped
from ctexp.data.augment import Augmentation
from ctexp.models.build import build
from ctexp.record.events import read
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.training.kernel import network, recipe
from ctexp.training.kernel.epochs import EpochReport
from ctexp.training.kernel.module import Classifier
from tests.leaky import add_leaky_set
from tests.project import TINY, add_tiny_set, make_project, newest

pytestmark = pytest.mark.usefixtures("blank_pictures")

FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": True, "json": False}
FAST = (
    "sampler",
    "augment",
    "finetune",
    "loss",
    "optimizer",
    "scheduler",
    "averaging",
    "inference",
)
CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("alarms") / "project")
    add_tiny_set(folder)
    return folder


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.rmtree(made / "runs", ignore_errors=True)
    monkeypatch.chdir(made)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    yield made
    torch.use_deterministic_algorithms(False)


def train(*words: str, resume: str | None = None) -> tuple[RunDir, Result]:
    with contextlib.suppress(Exit):  # the result says it
        perform("train:train", FLAGS | {"override": list(words), "resume": resume}, debug=False)
    run = newest(Path("runs"))
    return run, Result.read(run.result)


def of_kind(run: RunDir, kind: str) -> list[dict[str, Any]]:
    return [event for event in read(run.events).events if event["kind"] == kind]


def about(result: Result, text: str) -> list[str]:
    return [line for line in result.warnings if text in line]


def forgotten(run: RunDir, *words: str) -> set[str]:
    """The keys that nothing read, without a reason for it."""
    settings = compose(words, Path.cwd()).settings
    (event,) = of_kind(run, "unread_keys")
    return {key for key in event["keys"] if not reading.reason(key, settings)}


@pytest.mark.parametrize("number", range(max(len(choices(group, CONF)) for group in FAST)))
@pytest.mark.usefixtures("project")
def test_every_key_of_every_choice_is_read(number: int) -> None:
    """Each run takes the next file of every group, so that a few runs take them all."""
    chosen = [f"{group}={next(islice(cycle(choices(group, CONF)), number, None))}" for group in FAST]
    words = (*TINY, *chosen)
    run, result = train(*words)
    assert result.state == "finished"
    assert forgotten(run, *words) == set()


@pytest.mark.slow
@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", choices("logger", CONF))
def test_every_key_of_every_logger_is_read(name: str) -> None:
    words = (*TINY[:-1], f"logger={name}", "logger.mode=offline")
    run, result = train(*words)
    assert result.state == "finished"
    assert forgotten(run, *words) == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18_cbam", "vit_small", "dual_gated"])
def test_every_key_of_every_kind_of_model_is_read(project: Path, name: str) -> None:
    side = "data.image_size=32" if name == "vit_small" else "data.image_size=64"
    words = ["data.name=tiny", f"model={name}", "model.pretrained=false", side, *TINY[3:5]]
    words += ["trainer.max_epochs=1", "logger=none"]
    if name.startswith("dual"):
        add_leaky_set(project)
        perform("features:extract", {"dataset": "leaky", "split": "auto", "json": False}, debug=True)
        words += ["features=all_features"]
        words[0] = "data.name=leaky"
    run, result = train(*words)
    assert result.state == "finished"
    assert forgotten(run, *words) == set()


@pytest.mark.usefixtures("project")
def test_an_option_that_nothing_reads_is_told_to_who_set_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clipping of gradients is forgotten, as somebody might who rewrites the step."""
    monkeypatch.setattr(
        Classifier, "on_before_optimizer_step", lambda self, _: self.sums.add(*self._step, None)
    )
    words = (*TINY, "trainer.gradient_clip=0.5")
    run, result = train(*words)
    assert about(result, "trainer.gradient_clip: nothing read it")
    assert "warning: trainer.gradient_clip: nothing read it in this run" in capsys.readouterr().err
    assert forgotten(run, *words) == {"trainer.gradient_clip"}


@pytest.mark.usefixtures("project")
def test_an_option_that_changes_nothing_is_found_by_its_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four arms of an augmentation that all score alike: the images come from somewhere else."""
    _, result = train(*TINY, "augment.noise=0.1")
    assert set(result.predictions) == {"val"}

    def without(amounts: Any, *rest: Any) -> Augmentation:
        return Augmentation(type(amounts)(**dict.fromkeys(vars(amounts), 0.0)), *rest)

    monkeypatch.setattr(recipe, "Augmentation", without)
    _, result = train(*TINY, "augment.noise=0.2")
    assert not about(result, "byte-identical")
    _, result = train(*TINY, "augment.noise=0.3")
    (line,) = about(result, "byte-identical")
    assert "although augment.noise differs: something set has no effect" in line


@pytest.mark.usefixtures("project")
def test_a_run_made_twice_is_a_repetition_and_evaluating_it_again_is_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, _ = train(*TINY)
    second, result = train(*TINY, "run.name=again", "data.eval_batch_size=64")
    captured = capsys.readouterr()
    assert f"reproduces {first.id} bit by bit" in captured.err
    assert not about(result, "byte-identical")
    before = second.result.read_bytes()
    perform("evaluate:evaluate", {"run": second.id, "split": "val", "json": False}, debug=True)
    assert "reproduces" not in capsys.readouterr().err
    assert second.result.read_bytes() == before


def blinded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let networks answer without looking at the image."""
    original = build

    def built(*given: Any, **more: Any) -> Any:
        network = original(*given, **more)
        forward = network.forward
        network.forward = lambda images: forward(torch.zeros_like(images))
        return network

    monkeypatch.setattr(network, "build", built)


LONG = (*TINY[:-2], "trainer.max_epochs=8", "logger=none", "trainer.early_stopping=null", "optimizer.lr=0.01")


@pytest.mark.usefixtures("project")
def test_images_that_never_reach_the_network_are_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blinded(monkeypatch)
    run, result = train(*LONG)
    (event,) = of_kind(run, "health")
    assert (event["rule"], event["state"]) == ("at_chance", "began")
    assert event["evidence"]["chance_loss"] == pytest.approx(1.386, abs=1e-3)
    assert len(about(result, "nothing is learned")) == 1
    assert capsys.readouterr().err.count("nothing is learned") == 1


@pytest.mark.usefixtures("project")
def test_a_resumed_run_says_what_holds_but_not_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blinded(monkeypatch)
    original = EpochReport.on_train_epoch_start

    def stop(self: EpochReport, trainer: Any, pl_module: Any) -> None:
        original(self, trainer, pl_module)
        if trainer.current_epoch == 7:
            raise Stopped(15)

    with monkeypatch.context() as patch:
        patch.setattr(EpochReport, "on_train_epoch_start", stop)
        run, result = train(*LONG, "run.name=stopped", "trainer.gradient_clip=0.7")
    assert result.state == "interrupted"
    assert len(about(result, "nothing is learned")) == 1
    capsys.readouterr()
    _, result = train(resume=run.id)
    assert result.state == "finished"
    assert len(of_kind(run, "health")) == 1
    assert len(about(result, "nothing is learned")) == 1
    assert "warning: epoch" not in capsys.readouterr().err
    assert not about(result, "nothing read it")
    assert len(of_kind(run, "unread_keys")) == 2
