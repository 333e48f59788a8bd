"""The model card: what a reader must know stands there, from the record alone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import clock, files
from ctexp.core.classes import CLASSES
from ctexp.core.errors import DataError
from ctexp.core.paths import ledger_file
from ctexp.evaluation import metrics, model_card, temperature
from ctexp.record.calibration import Calibration, Change, FittedOn
from ctexp.record.checkpoint_files import write_sums
from ctexp.record.ledger import Ledger
from ctexp.record.look import Look
from ctexp.record.manifest import Dataset, Manifest
from ctexp.record.run_dir import RunDir
from tests.evaluation.conftest import draw
from tests.record.samples import COMMIT, HASH, run_of

DATASET = Dataset(
    name="chest_ct",
    catalog_sha256=HASH,
    split="clean",
    rows={
        split: dict.fromkeys(CLASSES, count) for split, count in (("train", 150), ("val", 18), ("test", 70))
    },
    left_out={"train": 0, "test": 46},
    warnings=("train and test share 3 groups",),
)


def recorded(folder: Path, splits: tuple[str, ...] = ("val",), **changes: Any) -> RunDir:
    """A finished run with real figures."""
    run = run_of(folder / "runs", dataset=DATASET.model_copy(update=changes))
    predictions = draw(72, skill=2.0)
    document: dict[str, Any] = {"schema_version": 1, "splits": {}}
    for split in splits:
        summary = metrics.summarise(predictions, split) | {"tta": "flip", "notes": [f"a note on {split}"]}
        scaled = temperature.summarise_calibrated(predictions, split, 1.5, "val")
        document["splits"][split] = summary | {"calibrated": scaled}
    files.write_json(run.metrics, document)
    write_sums(run.checkpoints, {"best.ckpt": HASH})
    Calibration(
        temperature=1.5,
        fitted_on=FittedOn(split="val", n=72, groups=72),
        nll=Change(before=0.5, after=0.4),
        ece=Change(before=0.12, after=0.05),
        method="by hand",
        checkpoint_sha256=HASH,
    ).write(run.calibration)
    return run


def look(folder: Path, kind: Any = "evaluate") -> None:
    one = Look(
        seq=1,
        time=clock.iso(clock.now()),
        kind=kind,
        dataset="chest_ct",
        catalog_sha256=HASH,
        split_sha256=(),
        subjects=("x",),
        images=280,
    )
    Ledger(ledger_file(folder)).append(one)


def section(card: str, title: str) -> str:
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_sections_are_those_of_the_paper(tmp_path: Path) -> None:
    card = model_card.text(recorded(tmp_path), tmp_path)
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Data",
        "Quantitative analyses",
        "The test split",
        "Ethical considerations and caveats",
        "Provenance",
    ]
    assert "no medical device" in card.split("##")[0]
    assert "diagnosis" in section(card, "Intended use")
    assert "has not been measured here" in section(card, "Factors")


def test_every_figure_stands_there_with_its_interval(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    analyses = section(model_card.text(run, tmp_path), "Quantitative analyses")
    summary = files.read_json(run.metrics)["splits"]["val"]
    assert "### val: 72 images in 72 groups" in analyses
    for name in ("macro_f1", "miss_rate", "brier"):
        its = summary["metrics"][f"val/{name}"]
        assert f"| {name} | {its['value']:.3f} | {its['low']:.3f} to {its['high']:.3f} |" in analyses
    calibrated = summary["calibrated"]["metrics"]["val/ece"]
    assert f"| ece, calibrated | {calibrated['value']:.3f} |" in analyses
    (recall,) = (line for line in analyses.splitlines() if line.startswith("| recall |"))
    for name, cell in zip(CLASSES, recall.split(" | ")[1:], strict=True):
        its = summary["per_class"][name]["recall"]
        assert cell.startswith(f"{its['value']:.3f} ({its['low']:.3f} to {its['high']:.3f})")
    for name, row in zip(CLASSES, summary["confusion"], strict=True):
        assert f"| {name} | {' | '.join(map(str, row))} |" in analyses


def test_data_details_and_provenance_are_those_of_the_record(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    card = model_card.text(run, tmp_path)
    data, details = section(card, "Data"), section(card, "Model details")
    assert "chest_ct, split clean" in data
    assert "| all | 600 | 72 | 280 |" in data
    assert "46 test images were left out" in data
    assert "train and test share 3 groups" in data
    assert "> the baseline" in details
    assert "resnet50, 23,516,228 parameters" in details
    assert f"timm/resnet50.a1_in1k (sha256 {HASH})" in details
    assert "divided by 1.5, fitted on 72 images of val; ECE 0.120 before, 0.050 after" in details
    assert "`inference.tta`): flip" in details
    provenance = section(card, "Provenance")
    for fact in (
        "`scripts/inv train model=resnet50`",
        COMMIT,
        "git.diff",
        "| seed | 42 |",
        HASH,
        "30 epochs",
    ):
        assert fact in provenance
    assert "a note on val" in section(card, "Ethical considerations and caveats")


def test_a_synthetic_set_is_said_to_be_one_before_anything_else(tmp_path: Path) -> None:
    card = model_card.text(recorded(tmp_path, synthetic=True), tmp_path)
    assert "**Synthetic.**" in card.split("##")[0]
    assert "chest_ct (synthetic)" in section(card, "Data")
    assert "Synthetic" not in model_card.text(recorded(tmp_path), tmp_path)


@pytest.mark.parametrize(("looks", "said"), [(0, "had not been looked at"), (1, "once"), (3, "3 times")])
def test_looks_at_the_test_split_are_counted(tmp_path: Path, looks: int, said: str) -> None:
    for _ in range(looks):
        look(tmp_path)
    look(tmp_path, "cross-validation")
    run = recorded(tmp_path, ("val", "test"))
    its = section(model_card.text(run, tmp_path), "The test split")
    assert said in its
    assert "out of fold: 1" in its
    assert ("flatters itself" in its) == (looks > 1)
    assert "no test figures" not in its
    assert "no test figures" in section(model_card.text(recorded(tmp_path), tmp_path), "The test split")


def test_a_temperature_of_other_weights_is_no_calibration(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    write_sums(run.checkpoints, {"best.ckpt": "f" * 64})
    assert "Not calibrated" in section(model_card.text(run, tmp_path), "Model details")


def test_a_card_needs_no_torch() -> None:
    code = "import sys, ctexp.evaluation.model_card; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_figures_of_another_shape_are_refused_with_their_place(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    document = files.read_json(run.metrics)
    del document["splits"]["val"]["groups"]
    files.write_json(run.metrics, document)

    with pytest.raises(DataError, match=r"metrics\.json: splits\.val\.groups: Field required"):
        model_card.text(run, tmp_path)


def test_what_a_person_wrote_stays_words(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    said = {"description": "two lines\n## Data\n<script>x</script>", "tags": ("a|b",)}
    Manifest.read(run.manifest).model_copy(update=said).write(run.manifest)
    card = model_card.text(run, tmp_path)
    assert r"> two lines \#\# Data \<script\>x\</script\>" in card
    assert r"tags a\|b" in card
