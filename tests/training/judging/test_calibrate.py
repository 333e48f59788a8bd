"""What was kept of a run, and was damaged since, is named with the way out."""

import json
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.errors import DataError
from ctexp.evaluation.predictions import Predictions
from ctexp.record.run_dir import RunDir
from ctexp.training.judging import calibrate
from ctexp.training.judging.measure import _merge

LABELS = np.arange(8) % 4
JUDGED = Predictions(
    tuple(f"{n}.png" for n in range(8)),
    tuple("0" * 64 for _ in range(8)),
    tuple(str(n) for n in range(8)),
    LABELS,
    (np.eye(4)[LABELS] * 2 - np.eye(4)[0]).astype(np.float32),
)


@pytest.mark.parametrize("temperature", [float("nan"), 1e-300, 1e300, -1.0, "hot"])
def test_a_damaged_temperature_is_refused_and_fitted_anew(tmp_path: Path, temperature: object) -> None:
    run = RunDir(tmp_path)
    run.checkpoints.mkdir()
    fitted = calibrate.fit_calibration(run, JUDGED)
    assert calibrate.kept_calibration(run) == fitted
    document = json.loads(run.calibration.read_text())
    run.calibration.write_text(json.dumps(document | {"temperature": temperature}))

    with pytest.raises(DataError, match=r"calibration\.json") as caught:
        calibrate.kept_calibration(run)

    assert "--split val" in caught.value.hint
    assert calibrate.fit_calibration(run, JUDGED) == fitted


@pytest.mark.parametrize("text", ["[]", "{}", '{"splits": []}', "null"])
def test_metrics_that_are_no_table_are_left_as_they_are(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(DataError, match="no table"):
        _merge(path, "val", {})
    assert path.read_text() == text
