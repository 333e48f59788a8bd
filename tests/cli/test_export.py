"""`inv export`: a folder that is whole, says what the run said, and can be used without ctexp."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from invoke.exceptions import Exit
from safetensors import safe_open
from safetensors.torch import load_file
from scipy.special import softmax

from ctexp.cli.verb import perform
from ctexp.core import files
from ctexp.core.classes import CLASSES
from ctexp.data import catalog
from ctexp.data.cache import UncachedImages
from ctexp.evaluation.predictions import Predictions
from ctexp.record.calibration import Calibration
from ctexp.record.run_dir import RunDir
from tests.trained import extract_features, project_with_images, train

pytestmark = pytest.mark.usefixtures("blank_pictures")

DEFAULTS: dict[str, Any] = {"run": "latest", "format": "onnx", "output": None, "json": False}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return train(project_with_images(tmp_path_factory.mktemp("export")), "inference.tta=flip")


@pytest.fixture
def project(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = run.path.parent.parent
    monkeypatch.chdir(folder)
    return folder


def export(**flags: Any) -> None:
    perform("export:export", DEFAULTS | flags, debug=False)


def refused(code: int, capsys: pytest.CaptureFixture[str], **flags: Any) -> str:
    capsys.readouterr()
    with pytest.raises(Exit) as caught:
        export(**flags)
    said = capsys.readouterr()
    assert caught.value.code == code, said.err
    return said.err


def images_of(project: Path, recorded: Predictions, size: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    known = catalog.load(project / "data", "tiny")
    of = {row.image_id: row for row in known.rows}
    rows = [of[image_id] for image_id in recorded.image_id]
    return UncachedImages(known.raw, rows, size, "pad").take(np.arange(len(rows)))[:, None]


def test_the_onnx_file_alone_says_what_the_run_recorded(
    project: Path, run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    export(output=str(folder), json=True)
    told = json.loads(capsys.readouterr().out)
    recorded, kept = Predictions.read(run.predictions("val")), Calibration.read(run.calibration)

    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    images = images_of(project, recorded, 16)
    logits, probabilities = session.run(["logits", "probabilities"], {"images": images})
    assert logits == pytest.approx(recorded.logits, abs=1e-4)
    assert probabilities == pytest.approx(
        softmax(recorded.logits.astype(np.float64) / kept.temperature, axis=1), abs=1e-4
    )
    (alone,) = session.run(["logits"], {"images": images[:1]})
    assert alone == pytest.approx(logits[:1], abs=1e-5)

    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == list(CLASSES)
    assert json.loads(about["temperature"]) == kept.temperature
    assert about["run_id"] == run.id
    assert about["checkpoint_sha256"] == kept.checkpoint_sha256

    assert told["agreement"]["images"] == told["agreement"]["of"] == len(recorded.image_id)
    assert told["agreement"]["logits_from_record"] <= told["agreement"]["tolerance_of_record"] == 1e-3
    sums = dict(line.split("  ")[::-1] for line in (folder / "sha256sums").read_text().splitlines())
    assert sums == told["files"]
    assert set(sums) == {"model.onnx", "preprocessing.json", "MODEL_CARD.md"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert (folder / "MODEL_CARD.md").read_text().startswith(f"# Model card: {run.id}")


def test_the_description_is_enough_to_make_the_networks_input(
    project: Path, run: RunDir, tmp_path: Path
) -> None:
    """From a file of the data set to the recorded logits by what stands there, with the exported weights."""
    folder = tmp_path / "made"
    export(output=str(folder), format="safetensors")
    described = json.loads((folder / "preprocessing.json").read_text())
    steps = {step["step"]: step for step in described["steps"]}
    assert described["classes"] == list(CLASSES)
    assert steps["resize"]["mode"] == "pad"
    assert steps["calibrate"]["temperature"] == Calibration.read(run.calibration).temperature
    assert steps["standardise"]["where"] == "to be done before the network"

    from ctexp.models.tiny_cnn import TinyCnn

    model = TinyCnn(described["architecture"]["in_channels"], described["architecture"]["num_classes"], 0.0)
    with safe_open(folder / "model.safetensors", "pt") as file:
        model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        assert json.loads(file.metadata()["classes"]) == list(CLASSES)
    recorded = Predictions.read(run.predictions("val"))
    grey = torch.from_numpy(images_of(project, recorded, steps["resize"]["image_size"]))
    inputs = (grey / 255 - steps["standardise"]["mean"]) / steps["standardise"]["std"]
    assert steps["views"]["tta"] == "flip"
    with torch.no_grad():
        logits = (model.eval()(inputs) + model(inputs.flip(-1))) / 2
    assert logits.numpy() == pytest.approx(recorded.logits, abs=1e-4)


@pytest.mark.usefixtures("project")
def test_a_network_that_says_something_else_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import onnx
    from onnx import numpy_helper

    def corrupt(path: Path, content: bytes) -> None:
        model = onnx.load_from_string(content)
        (last,) = (one for one in model.graph.initializer if list(one.dims) == [len(CLASSES)])
        values = numpy_helper.to_array(last) + np.array([0.01, 0, 0, 0], np.float32)
        last.CopyFrom(numpy_helper.from_array(values, last.name))
        files.write_bytes(path, model.SerializeToString())

    monkeypatch.setattr("ctexp.training.exporting.onnx_file.write_bytes", corrupt)
    err = refused(12, capsys, output=str(tmp_path / "made"))
    assert "logits of the exported file and of the network differ by up to 0.01" in err
    assert "and of the run's record differ" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("project")
def test_weights_that_come_back_changed_are_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "ctexp.training.exporting.weights_file.load_file",
        lambda path: {name: value * 1.001 for name, value in load_file(path).items()},
    )
    assert "differ from the run's in" in refused(
        12, capsys, output=str(tmp_path / "made"), format="safetensors"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("project")
def test_a_record_of_other_answers_is_noticed(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run.predictions("val")
    recorded, content = Predictions.read(file), file.read_bytes()
    try:
        Predictions(
            recorded.image_id,
            recorded.sha256,
            recorded.group,
            recorded.label,
            recorded.logits + np.float32(0.1),
        ).write(file)
        err = refused(12, capsys, output=str(tmp_path / "made"), format="safetensors")
    finally:
        file.write_bytes(content)
    assert "of the run's record differ by up to 0.1" in err


def test_without_real_images_nothing_is_exported(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(project / "data", project / "elsewhere")
    try:
        err = refused(3, capsys, output=str(tmp_path / "made"))
    finally:
        shutil.move(project / "elsewhere", project / "data")
    assert "an export is checked on the run's own images" in err
    assert not (tmp_path / "made").exists()


@pytest.mark.usefixtures("project")
def test_what_is_there_already_and_what_is_no_format_is_refused(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is there already" in refused(2, capsys, output=str(tmp_path))
    assert "did you mean 'onnx'?" in refused(2, capsys, format="onx")
    assert "no run" in refused(3, capsys, run="nobody")
    export(format="safetensors")
    folder, *names = capsys.readouterr().out.splitlines()
    assert sorted(name.strip() for name in names) == sorted(path.name for path in Path(folder).iterdir())
    assert "is there already" in refused(2, capsys, format="safetensors")
    assert (run.path.parent / "exports" / f"{run.id}_safetensors" / "model.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("model=resnet18", "model.pretrained=false", "model.in_channels=3", "data.image_size=32"),
        ("model=efficientnet_b0", "model.pretrained=false", "data.image_size=32", "inference.tta=flip_shift"),
        ("model.name=vit_tiny_patch16_224", "model.pretrained=false", "data.image_size=32"),
        ("model=convnext_tiny", "model.pretrained=false", "data.image_size=32"),
        ("model.fusion=gated", "features=all_features", "model.attention=cbam", "inference.tta=flip"),
    ],
    ids=lambda words: words[0],
)
def test_every_kind_of_network_can_be_told_in_onnx(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    project = project_with_images(tmp_path)
    if "features=all_features" in words:
        extract_features(project)
    train(project, *words)
    monkeypatch.chdir(project)
    capfd.readouterr()
    export(output=str(tmp_path / "made"), json=True)
    said = capfd.readouterr()
    assert json.loads(said.out)["agreement"]["logits_from_network"] <= 1e-3
    assert said.err == "", "the exporter's chatter"
    session = onnxruntime.InferenceSession(tmp_path / "made/model.onnx", providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    assert names == (["images", "features"] if "features=all_features" in words else ["images"])
