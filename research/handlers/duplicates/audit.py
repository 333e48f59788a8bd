"""Whether the audit finds the byte-identical copies that were planted, all of them and no others."""

import json
from typing import Any

from ctexp.research.runner import ExperimentRunner
from planted import COPIES, NAME, plant

STUB = {"finding": "all are found", "metrics": {"missed": 0, "made_up": 0}}


def e_audit(runner: ExperimentRunner) -> dict[str, Any]:
    """Count what the audit names among what was planted."""
    plant(runner)
    audit = json.loads((runner.data / "audit" / NAME / "audit.json").read_text())
    copies = [
        one["image_id"] for group in audit["copies"] for one in group["members"] if one["split"] == "val"
    ]
    found = [name for name in copies if "/again " in name]
    planted = runner.count(COPIES * len(audit["counts"]["images"]["val"]))
    missed = runner.difference(planted, runner.count(len(found)))
    made_up = runner.count(len(copies) - len(found))
    runner.results.save_json_artifact("found", copies)
    return {
        "finding": f"Of {planted} planted copies, byte for byte their originals, the audit misses {missed}; "
        f"it takes {made_up} other images for copies.",
        "metrics": {"planted": planted, "missed": missed, "made_up": made_up},
    }
