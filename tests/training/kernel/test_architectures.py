"""Every network, optimizer and way of finetuning that conf/ has is composed, and trained for two steps."""

import functools
import signal
import tempfile
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import nn

from ctexp.cli.verb import perform
from ctexp.config import groups
from ctexp.config.compose import compose
from ctexp.core.errors import Stopped
from ctexp.core.paths import splits_folder
from ctexp.data.selection import select
from ctexp.models.build import build
from ctexp.models.depth import Depth
from ctexp.models.dual_pathway import DualPathway
from ctexp.models.weights import WeightsOrigin
from ctexp.training.dataset import features_of
from ctexp.training.kernel.checkpoints import newest
from ctexp.training.kernel.fit import fit
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.recipe import ImageStore, build_module, refuse_unfit_input
from ctexp.training.kernel.stopping import StopRequests
from tests.project import HERE, add_tiny_set, make_project
from tests.training import tiny
from tests.training.kernel.test_resume import SignalAtStep
from tests.training.tiny import Quiet

CPU = torch.device("cpu")
TWO_STEPS = (
    "data.name=tiny",
    "data.split=official",
    "augment=none",
    "data.image_size=32",
    "data.batch_size=11",
    "trainer.max_epochs=1",
    "scheduler=constant",
    "scheduler.warmup_epochs=0",
    "optimizer.lr=0.001",
    "trainer.accelerator=cpu",
    "logger=none",
)
FAST = {"tiny_cnn", "resnet18_cbam", "vit_small"}


@functools.cache
def project() -> Path:
    """One for all tests of this process: a small set, and its features."""
    root = make_project(Path(tempfile.mkdtemp(prefix="architectures-")) / "project")
    add_tiny_set(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        perform("features:extract", {"dataset": "tiny", "split": "official", "json": False}, debug=True)
    return root


def trained(folder: Path, *overrides: str) -> tuple[Classifier, dict[str, torch.Tensor]]:
    """The module after two steps, and its weights before."""
    root = project()
    settings = compose([*TWO_STEPS, *overrides], root).settings
    selection = select(root / "data", splits_folder(root), "tiny", "official", None)
    features = features_of(settings, selection, root / "data", root)
    module = build_module(settings, selection, features, WeightsOrigin("random"), CPU)
    refuse_unfit_input(module, selection)
    before = {name: value.clone() for name, value in module.model.state_dict().items()}
    store = ImageStore(settings, selection, features, root / "data", CPU)
    train = store.train_batches()
    assert len(train) == 2
    with StopRequests() as requests:
        fit(
            module,
            train,
            store.eval_batches("val"),
            checkpoints=folder / "checkpoints",
            device=CPU,
            requests=requests,
            watchers=[Quiet()],
            resume=None,
        )
    return module, before


def moved(module: Classifier, before: dict[str, torch.Tensor]) -> set[str]:
    """The parameters and statistics that are not what they were."""
    after = module.model.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


def of_network(name: str) -> list[str]:
    """The overrides that choose a network, without weights from afar, and with what it needs."""
    chosen = [f"model={name}", "model.pretrained=false"]
    return [*chosen, "features=all_features"] if name.startswith("dual") else chosen


def marked(group: str, fast: set[str]) -> list[Any]:
    """The choices of a group, those that take more than two seconds as slow."""
    names = groups.choices(group, HERE / "conf")
    assert fast <= set(names)
    return [pytest.param(name, marks=[] if name in fast else [pytest.mark.slow]) for name in names]


@pytest.mark.parametrize("name", marked("model", FAST))
def test_every_network_learns_with_all_its_weights(tmp_path: Path, name: str) -> None:
    module, before = trained(tmp_path, *of_network(name), "optimizer.weight_decay=0")

    assert before.keys() - moved(module, before) == set()
    assert isinstance(module.model, DualPathway) == name.startswith("dual")


@pytest.mark.parametrize("name", groups.choices("optimizer", HERE / "conf"))
def test_every_optimizer_moves_every_weight(tmp_path: Path, name: str) -> None:
    module, before = trained(tmp_path, "model=tiny_cnn", f"optimizer={name}")

    assert before.keys() - moved(module, before) == set()


@pytest.mark.parametrize("network", ["tiny_cnn", pytest.param("dual_gated", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", groups.choices("finetune", HERE / "conf"))
def test_every_way_of_finetuning_moves_what_it_should(tmp_path: Path, name: str, network: str) -> None:
    module, before = trained(tmp_path, *of_network(network), f"finetune={name}")

    depth = Depth.of(module.model)
    head = {key for key, stage in depth.stages.items() if stage == depth.head}
    # But for `full`, each of them begins with an epoch of the head alone.
    assert moved(module, before) == (before.keys() if name == "full" else head)


@pytest.mark.parametrize("attention", ["se", "cbam"])
def test_attention_is_resumed_exactly(tmp_path: Path, attention: Literal["se", "cbam"]) -> None:
    def network() -> nn.Module:
        torch.manual_seed(0)
        options: dict[str, Any] = {"in_channels": 1, "image_size": 16, "num_classes": 4, "dropout": 0.5}
        return build("tiny_cnn", WeightsOrigin("random"), attention=attention, **options)

    whole = tiny.fingerprint(tmp_path / "whole", tiny.train(tmp_path / "whole", model=network()))

    with pytest.raises(Stopped):
        tiny.train(tmp_path / "parts", model=network(), report=SignalAtStep(tiny.STEPS + 1, signal.SIGTERM))
    found = newest(tmp_path / "parts" / "checkpoints")
    assert found is not None
    rest = tiny.train(tmp_path / "parts", model=network(), resume=found.path)
    assert tiny.fingerprint(tmp_path / "parts", rest) == whole


def test_the_twins_see_images_alike() -> None:
    settings = {name: compose([*TWO_STEPS, *of_network(name)], project()).settings for name in TWINS}
    single, *duals = (settings[name].model for name in TWINS)

    for dual in duals:
        different = {key for key, value in dual.model_dump().items() if value != single.model_dump()[key]}
        assert different == {"fusion"}


TWINS = ("single_pathway", "dual_pathway", "dual_gated")
