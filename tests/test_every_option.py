"""Every option of conf/ does something: what it changes shows in the weights, the history or the predictions.

An option that is accepted and then forgotten has cost people whole nights, so every key of the configuration
stands in one of three tables here, and a new key without a line fails: those that must change a training,
those that must not change a single bit of it, and those whose effect another test shows.
"""

import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ctexp.cli.verb import perform
from ctexp.config import groups
from ctexp.config.compose import compose
from ctexp.config.keys import GROUPS, keys
from ctexp.core.classes import CLASSES
from ctexp.core.files import sha256_bytes
from ctexp.core.paths import splits_folder
from ctexp.data.intake.importer import import_dataset
from ctexp.data.selection import select
from ctexp.models.build import build
from ctexp.models.weights import resolve
from ctexp.record.checkpoint_files import BEST
from ctexp.training.dataset import features_of
from ctexp.training.judging.predict import predict
from ctexp.training.kernel.checkpoints import load
from ctexp.training.kernel.device import make_repeatable
from ctexp.training.kernel.fit import fit
from ctexp.training.kernel.recipe import ImageStore, build_module
from ctexp.training.kernel.stopping import StopRequests
from tests.project import HERE, make_project
from tests.training.tiny import Quiet

PLAIN = (
    "data.name=uneven",
    "data.split=official",
    "model=tiny_cnn",
    "data.image_size=16",
    "data.batch_size=8",
    "augment=none",
    "optimizer.lr=0.01",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=3",
    "trainer.early_stopping=null",
    "logger=none",
)

RESNET = "model.name=resnet10t"
MEASURED = ("model.fusion=concat", "features=all_features")
FREEZING = "finetune.head_epochs=1"
EARLY = "trainer.max_epochs=8"

MUST_CHANGE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # key: (what it takes to matter, what must change the outcome of that)
    "seed": ((), ("seed=43",)),
    "model.name": ((), (RESNET,)),
    "model.pretrained": ((RESNET,), ("model.pretrained=true model.weights={weights}",)),
    "model.weights": (
        (RESNET, "model.pretrained=true", "model.weights={weights}"),
        ("model.weights={others}",),
    ),
    "model.in_channels": ((), ("model.in_channels=3",)),
    "model.attention": ((), ("model.attention=se", "model.attention=cbam")),
    "model.fusion": (MEASURED, ("model.fusion=gated", "model.fusion=none features=none")),
    "model.dropout": ((), ("model.dropout=0.3",)),
    "model.stochastic_depth": ((RESNET,), ("model.stochastic_depth=0.5",)),
    "data.name": ((), ("data.name=other",)),
    "data.sample": ((), ("data.sample=12",)),
    "data.image_size": ((), ("data.image_size=20",)),
    "data.resize": ((), ("data.resize=stretch",)),
    "data.batch_size": ((), ("data.batch_size=4",)),
    "data.mean": ((), ("data.mean=0.2",)),
    "data.std": ((), ("data.std=0.4",)),
    "sampler.name": ((), ("sampler=class_balanced",)),
    "augment.horizontal_flip": ((), ("augment.horizontal_flip=0.5",)),
    "augment.vertical_flip": ((), ("augment.vertical_flip=0.5",)),
    "augment.rotation": ((), ("augment.rotation=20",)),
    "augment.scale": ((), ("augment.scale=0.2",)),
    "augment.translate": ((), ("augment.translate=0.2",)),
    "augment.crop": ((), ("augment.crop=0.2",)),
    "augment.elastic": ((), ("augment.elastic=0.08",)),
    "augment.brightness": ((), ("augment.brightness=0.2",)),
    "augment.contrast": ((), ("augment.contrast=0.2",)),
    "augment.gamma": ((), ("augment.gamma=0.2",)),
    "augment.jpeg": ((), ("augment.jpeg=0.5",)),
    "augment.noise": ((), ("augment.noise=0.05",)),
    "augment.erasing": ((), ("augment.erasing=0.9",)),
    "augment.mixup": ((), ("augment.mixup=0.4",)),
    "augment.cutmix": ((), ("augment.cutmix=1.0",)),
    "features.name": (MEASURED, ("features=top_features", "features=bottom_features")),
    "features.dropout": (MEASURED, ("features.dropout=0.5",)),
    "finetune.head_epochs": ((), (FREEZING,)),
    "finetune.stage_epochs": ((FREEZING,), ("finetune.stage_epochs=0.5",)),
    "finetune.frozen_stages": ((), ("finetune.frozen_stages=1",)),
    "finetune.layer_decay": ((), ("finetune.layer_decay=0.5",)),
    "loss.name": (
        (),
        ("loss=focal", "loss=class_balanced", "loss=balanced_softmax", "loss=pairwise_confusion"),
    ),
    "loss.label_smoothing": ((), ("loss.label_smoothing=0.0",)),
    "loss.class_weights": ((), ("loss.class_weights=balanced",)),
    "loss.gamma": (("loss=focal",), ("loss.gamma=1.0",)),
    "loss.beta": (("loss=class_balanced",), ("loss.beta=0.5",)),
    "loss.confusion": (("loss=pairwise_confusion",), ("loss.confusion=0.5",)),
    "optimizer.name": ((), ("optimizer=sgd", "optimizer=lion")),
    "optimizer.lr": ((), ("optimizer.lr=0.02",)),
    "optimizer.weight_decay": ((), ("optimizer.weight_decay=0.5",)),
    "optimizer.beta1": ((), ("optimizer.beta1=0.5",)),
    "optimizer.beta2": ((), ("optimizer.beta2=0.9",)),
    "optimizer.momentum": (("optimizer=sgd",), ("optimizer.momentum=0.5",)),
    "optimizer.nesterov": (("optimizer=sgd",), ("optimizer.nesterov=false",)),
    "scheduler.name": (
        (),
        ("scheduler=constant", "scheduler=step scheduler.step_epochs=1", "scheduler=one_cycle"),
    ),
    "scheduler.warmup_epochs": ((), ("scheduler.warmup_epochs=1.5",)),
    "scheduler.min_lr_ratio": ((), ("scheduler.min_lr_ratio=0.5",)),
    "scheduler.step_epochs": (("scheduler=step",), ("scheduler.step_epochs=1",)),
    "scheduler.gamma": (("scheduler=step", "scheduler.step_epochs=1"), ("scheduler.gamma=0.5",)),
    "scheduler.patience": (("scheduler=plateau", EARLY), ("scheduler.patience=0",)),
    "scheduler.factor": (("scheduler=plateau", "scheduler.patience=0", EARLY), ("scheduler.factor=0.1",)),
    "scheduler.rise": (("scheduler=one_cycle",), ("scheduler.rise=0.6",)),
    "scheduler.start_ratio": (("scheduler=one_cycle",), ("scheduler.start_ratio=0.5",)),
    "scheduler.end_ratio": (("scheduler=one_cycle",), ("scheduler.end_ratio=0.5",)),
    "averaging.name": ((), ("averaging=ema", "averaging=swa averaging.start=0.4")),
    "averaging.decay": (("averaging=ema",), ("averaging.decay=0.1",)),
    "averaging.start": (("averaging=swa",), ("averaging.start=0.4",)),
    "averaging.lr_ratio": (("averaging=swa", "averaging.start=0.4"), ("averaging.lr_ratio=1.0",)),
    "trainer.max_epochs": ((), ("trainer.max_epochs=4",)),
    "trainer.precision": ((), ("trainer.precision=bf16",)),
    "trainer.monitor": ((EARLY, "optimizer.lr=0.03"), ("trainer.monitor=val/ece",)),
    "trainer.accumulate_grad_batches": ((), ("trainer.accumulate_grad_batches=2",)),
    "trainer.gradient_clip": ((), ("trainer.gradient_clip=0.01",)),
    "trainer.early_stopping.patience": (
        (EARLY, "trainer.early_stopping={{patience:7,min_delta:0.0}}"),
        ("trainer.early_stopping={{patience:1,min_delta:0.0}}",),
    ),
    "trainer.early_stopping.min_delta": (
        (EARLY, "trainer.early_stopping={{patience:4,min_delta:0.0}}"),
        ("trainer.early_stopping={{patience:4,min_delta:0.9}}",),
    ),
    "inference.tta": ((), ("inference.tta=flip", "inference.tta=flip_shift")),
}

MUST_NOT_CHANGE = {
    "data.eval_batch_size": "data.eval_batch_size=3",
    "data.cache": "data.cache=none",
    "trainer.max_minutes": "trainer.max_minutes=100",
    "trainer.channels_last": "trainer.channels_last=false",
    "trainer.on_oom": "trainer.on_oom=retry",
    "run.description": "run.description=anything",
    "run.name": "run.name=anything",
    "run.tags": "run.tags=[anything]",
    "git.dirty": "git.dirty=warn",
}

SHOWN_ELSEWHERE = {
    "data.split": "tests/cli/test_train_splits.py",
    "data.fold": "tests/cli/test_train_splits.py",
    "trainer.accelerator": "tests/training/kernel/test_device.py",
    "trainer.compile": "tests/training/kernel/test_optim.py",
    "trainer.devices": "tests/training/test_ranks.py",
    "paths.data": "tests/config/test_compose.py",
    "paths.runs": "tests/config/test_compose.py",
    "logger.also": "tests/trackers/test_trackers.py",
    "logger.url": "tests/trackers/test_mlflow.py",
    **{
        f"logger.{key}": "tests/trackers/test_trackers.py"
        for key in ("name", "mode", "project", "entity", "log_model", "timeout")
    },
}


STANDARD = {
    "model.in_channels=1",
    "model.attention=none",
    "data.resize=pad",
    "loss.class_weights=none",
    "features.name=none",
    "inference.tta=none",
    *("sampler=uniform", "loss=cross_entropy", "optimizer=adamw", "scheduler=cosine", "averaging=none"),
    *("trainer.precision=auto", "trainer.precision=32"),  # the same on a processor
}
"""What the plain training has anyway."""

UNTRIED = {"trainer.precision=16"}
"""What takes a GPU."""


def images(folder: Path, seed: int) -> Path:
    """Noise, wider than high, with a bright square whose corner tells the class; classes of uneven size."""
    rng = np.random.default_rng(seed)
    for split, counts in {"train": (10, 4, 8, 5), "valid": (5, 4, 5, 6), "test": (1, 1, 1, 1)}.items():
        for label, count in enumerate(counts):
            for number in range(count):
                image = rng.integers(0, 150, (20, 32)).astype(np.uint8)
                image[10 * (label // 2) :, 16 * (label % 2) :][:10, :16] += 50
                path = folder / split / CLASSES[label] / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(path)
    return folder


@functools.cache
def project() -> Path:
    """One for all tests of this process: two sets, features and their lists, two files of weights."""
    root = make_project(Path(tempfile.mkdtemp(prefix="options-")) / "project")
    import_dataset(images(root / "source", 8), "uneven", root / "data", seed=1)
    import_dataset(images(root / "others", 9), "other", root / "data", seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        flags = {"dataset": "uneven", "split": "official", "json": False}
        perform("features:extract", flags, debug=True)
    for number, name in enumerate(("weights", "others")):
        torch.manual_seed(number)
        network = build_random("resnet10t")
        torch.save(network.state_dict(), root / f"{name}.pth")
    return root


def build_random(name: str) -> torch.nn.Module:
    from ctexp.models.weights import WeightsOrigin

    return build(name, WeightsOrigin("random"), in_channels=3, image_size=16, num_classes=1000, dropout=0.0)


def chosen(*overrides: str) -> tuple[str, ...]:
    """The last word on each key."""
    return tuple({word.partition("=")[0]: word for word in overrides}.values())


@functools.cache
def outcome(overrides: tuple[str, ...]) -> str:
    """A hash of all that a training leaves behind, times and rates of the machine aside."""
    root = project()
    words = [word.format(weights="weights.pth", others="others.pth") for word in overrides]
    settings = compose(words, root).settings
    data = settings.data
    make_repeatable()
    folders = (root / "data", splits_folder(root))
    selection = select(*folders, data.name, data.split, data.fold, data.sample)
    features = features_of(settings, selection, folders[0], root)
    model = settings.model
    origin = resolve(model.name, pretrained=model.pretrained, weights=model.weights, root=root)
    cpu = torch.device("cpu")
    module = build_module(settings, selection, features, origin, cpu)
    store = ImageStore(settings, selection, features, folders[0], cpu)
    report = Quiet()
    with tempfile.TemporaryDirectory() as folder, StopRequests() as requests:
        checkpoints = Path(folder) / "checkpoints"
        fit(
            module,
            store.train_batches(),
            store.eval_batches("val"),
            checkpoints=checkpoints,
            device=cpu,
            requests=requests,
            watchers=[report],
            resume=None,
        )
        final = {name: value.clone() for name, value in module.state_dict().items()}
        best = load(checkpoints / BEST)["state_dict"]
    module.adopt(best)
    said = predict(module, store.eval_batches("val"), selection.rows["val"], cpu, tta=settings.inference.tta)
    # On some processors an image's logits differ in the last bits with the batch it is in.
    rows = [
        {
            name: value if value is None else round(value, 4)
            for name, value in row.items()
            if name.startswith(("train/", "val/", "learning"))
        }
        for row in report.rows
    ]
    logits = said.logits.round(4) + 0.0
    weights = [tensor.numpy().tobytes() for state in (final, best) for tensor in state.values()]
    return sha256_bytes(b"".join([*weights, repr(rows).encode(), logits.tobytes()]))


CASES = [
    pytest.param(context, change, id=change.replace(" ", "+"))
    for context, changes in MUST_CHANGE.values()
    for change in changes
]


@pytest.mark.parametrize(("context", "change"), CASES)
def test_an_option_has_an_effect(context: tuple[str, ...], change: str) -> None:
    base = (*PLAIN, *context)
    assert outcome(chosen(*base, *change.split(" "))) != outcome(chosen(*base))


@pytest.mark.parametrize("change", MUST_NOT_CHANGE.values())
def test_what_promises_no_effect_has_none(change: str) -> None:
    assert outcome(chosen(*PLAIN, change)) == outcome(PLAIN)


def test_every_key_of_the_configuration_is_tested() -> None:
    leaves = {name for name, key in keys().items() if key.kind != "keys"}
    assert leaves == {*MUST_CHANGE, *MUST_NOT_CHANGE, *SHOWN_ELSEWHERE}
    assert all((HERE / file).is_file() for file in SHOWN_ELSEWHERE.values())


def test_every_named_value_of_a_key_is_tested() -> None:
    tried = {
        word
        for context, changes in MUST_CHANGE.values()
        for words in (*PLAIN, *context, *changes)
        for word in words.split(" ")
    }
    for name in MUST_CHANGE:
        for option in keys()[name].options:
            words = {f"{name}={option}", f"{name.partition('.')[0]}={option}"}
            assert words & {*tried, *STANDARD, *UNTRIED}, words


def test_every_choice_of_a_group_differs_from_the_others() -> None:
    for group in set(GROUPS) - {"model", "data", "logger", "features"}:
        resolved = [repr(compose([f"{group}={name}"], HERE).resolved[group]) for name in choices(group)]
        assert len(set(resolved)) == len(resolved), group


def choices(group: str) -> list[str]:
    return groups.choices(group, HERE / "conf")
