"""Pretrained weights are the ones that were asked for, or the run is refused."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from ctexp.core.errors import PreflightError
from ctexp.core.files import sha256_file
from ctexp.models.build import build
from ctexp.models.weights import WeightsOrigin, resolve


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as a hub publishes it: 1000 classes, three input channels."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file(timm.create_model("resnet18").state_dict(), str(path))
    return path


def resnet18(origin: WeightsOrigin, in_channels: int = 1) -> dict[str, torch.Tensor]:
    model = build("resnet18", origin, in_channels=in_channels, image_size=64, num_classes=4, dropout=0.0)
    return model.state_dict()


def test_a_local_file_is_loaded_hashed_and_its_head_replaced(published: Path) -> None:
    origin = resolve("resnet18", pretrained=True, weights=published.name, root=published.parent)
    assert origin.source == f"file:{published.name}"
    assert origin.sha256 == sha256_file(published)
    loaded = resnet18(origin)
    source = timm.models.load_state_dict(str(published))
    assert torch.equal(loaded["layer4.1.conv2.weight"], source["layer4.1.conv2.weight"])
    assert loaded["fc.weight"].shape == (4, 512)


def test_one_grey_channel_answers_as_three_equal_ones(published: Path) -> None:
    origin = resolve("resnet18", pretrained=True, weights=str(published), root=Path("/"))
    grey, colour = resnet18(origin, 1)["conv1.weight"], resnet18(origin, 3)["conv1.weight"]
    torch.testing.assert_close(grey, colour.sum(dim=1, keepdim=True))


def test_the_hubs_cache_is_used_and_named(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models--timm--resnet18.a1_in1k"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    (snapshot / "model.safetensors").write_bytes(published.read_bytes())
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    origin = resolve("resnet18", pretrained=True, weights=None, root=tmp_path)
    assert origin.source == "hub:timm/resnet18.a1_in1k/model.safetensors"
    assert origin.sha256 == sha256_file(published)


def test_a_hub_out_of_reach_refuses_and_names_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PreflightError) as caught:
        resolve("resnet18", pretrained=True, weights=None, root=tmp_path)
    assert "model.weights" in caught.value.hint
    assert "model.pretrained=false" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04N."])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    origin = resolve("resnet18", pretrained=True, weights="w.pth", root=tmp_path)
    with pytest.raises(PreflightError, match="does not fit resnet18"):
        resnet18(origin)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file(timm.create_model("efficientnet_b0").state_dict(), str(path))
    origin = resolve("resnet18", pretrained=True, weights=str(path), root=tmp_path)
    with pytest.raises(PreflightError, match="does not fit resnet18"):
        resnet18(origin)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match=r"model.weights=none.pth: no such file"):
        resolve("resnet18", pretrained=True, weights="none.pth", root=tmp_path)


def test_a_checkpoint_that_would_run_code_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "ran"

    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (canary,))

    torch.save({"state_dict": Payload()}, tmp_path / "evil.pth")
    origin = resolve("resnet18", pretrained=True, weights="evil.pth", root=tmp_path)
    with pytest.raises(PreflightError):
        resnet18(origin)
    assert not canary.exists()
