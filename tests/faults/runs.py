"""What two runs must share that are the same training."""

import json
from typing import Any

from ctexp.evaluation.predictions import Predictions
from ctexp.record.checkpoint_files import BEST, LAST
from ctexp.record.history import read as read_history
from ctexp.record.run_dir import RunDir
from ctexp.training.kernel.checkpoints import load

TIMED = {"seconds", "images_per_second", "cpu_percent", "rss_mb", "input_seconds"}


def essence(run: RunDir) -> dict[str, Any]:
    """All that must not depend on where a run was interrupted."""
    weights = {
        name: {key: tensor.numpy().tobytes() for key, tensor in load(path)["state_dict"].items()}
        for name, path in ((name, run.checkpoints / name) for name in (BEST, LAST))
    }
    predictions = Predictions.read(run.predictions("val"))
    result = run.read().result
    assert result is not None
    return {
        "weights": weights,
        "predictions": (predictions.image_id, predictions.logits.tobytes()),
        "history": [
            {key: value for key, value in row.items() if key not in TIMED}
            for row in read_history(run.history)
        ],
        "metrics": json.loads(run.metrics.read_text()),
        "result": (result.state, result.exit_code, result.epochs, result.metrics),
    }
