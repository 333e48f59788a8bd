"""A finished network opened by itself says what the run recorded, to the bit, without its data set."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ctexp.core.errors import DataError
from ctexp.data import catalog
from ctexp.data.cache import UncachedImages
from ctexp.data.radiomics import table
from ctexp.evaluation.predictions import Predictions
from ctexp.record.run_dir import RunDir
from ctexp.training.judging.ensemble import Ensemble
from ctexp.training.judging.network import open_network
from tests.trained import extract_features, project_with_images, train

pytestmark = pytest.mark.usefixtures("blank_pictures")

CPU = torch.device("cpu")
RUNS = {
    "tiny_cnn": ("inference.tta=flip_shift",),
    "resnet18": ("model=resnet18", "model.pretrained=false", "data.image_size=32", "model.in_channels=3"),
    "dual_pathway": ("model.fusion=concat", "features=all_features"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = project_with_images(tmp_path_factory.mktemp("network"))
    extract_features(project)
    return project


@pytest.fixture(scope="module")
def runs(project: Path) -> dict[str, RunDir]:
    return {name: train(project, *words) for name, words in RUNS.items()}


@pytest.mark.parametrize("name", RUNS)
def test_it_says_what_the_run_recorded_to_the_bit(name: str, project: Path, runs: dict[str, RunDir]) -> None:
    run = runs[name]
    recorded = Predictions.read(run.predictions("val"))
    known = catalog.load(project / "data", "tiny")
    of = {row.image_id: row for row in known.rows}
    rows = [of[image_id] for image_id in recorded.image_id]
    measured = table.load(table.table_file(project / "data", "tiny")).of(rows)
    (project / "data").rename(project / "elsewhere")
    try:  # no data set is needed to open it
        ensemble = Ensemble.of_runs([run], CPU)
    finally:
        (project / "elsewhere").rename(project / "data")
    network = ensemble.members[0].trained.network
    settings = network.settings
    squares = UncachedImages(known.raw, rows, settings.data.image_size, settings.data.resize)

    images = torch.from_numpy(squares.take(np.arange(len(rows)))[:, None])
    batch = settings.data.eval_batch_size  # sums come out the same for the same batches
    parts = [images[start : start + batch] for start in range(0, len(images), batch)]
    values = np.split(measured, range(batch, len(rows), batch))
    probabilities = [ensemble.probabilities(*part) for part in zip(parts, values, strict=True)]

    temperature = ensemble.members[0].temperature
    assert temperature is not None
    scaled = recorded.logits.astype(np.float64) / temperature
    expected = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    assert np.array_equal(np.concatenate(probabilities).argmax(axis=1), recorded.logits.argmax(axis=1))
    assert np.concatenate(probabilities) == pytest.approx(expected, abs=1e-15)
    if ensemble.members[0].trained.manifest.features is None:
        with torch.no_grad():
            logits = torch.cat([network.answer(part) for part in parts])
        assert logits.numpy().tobytes() == recorded.logits.tobytes()


def test_weights_that_no_temperature_belongs_to_are_not_calibrated(runs: dict[str, RunDir]) -> None:
    run = runs["tiny_cnn"]
    assert Ensemble.of_runs([run], CPU).calibrated
    away = run.calibration.rename(run.calibration.with_suffix(".away"))
    try:
        assert not Ensemble.of_runs([run], CPU).calibrated
    finally:
        away.rename(run.calibration)


def test_damaged_weights_are_refused(runs: dict[str, RunDir]) -> None:
    file = runs["tiny_cnn"].checkpoints / "best.ckpt"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        with pytest.raises(DataError, match="does not match its sha256"):
            open_network(runs["tiny_cnn"], CPU)
    finally:
        file.write_bytes(content)
