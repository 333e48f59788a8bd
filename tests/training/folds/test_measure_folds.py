"""From the folds' runs to the numbers of all images: what is judged, what is missing, what is said."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ctexp.core.files import sha256_file
from ctexp.data import catalog as catalogs
from ctexp.data.batches import labels_of
from ctexp.data.catalog import Catalog
from ctexp.data.splits.schemes import Split, make
from ctexp.evaluation import scores, temperature
from ctexp.evaluation.predictions import Predictions
from ctexp.record.calibration import Calibration
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, EnsembleList, Fold
from ctexp.training.folds.measure_folds import measure_folds
from tests.project import add_tiny_set
from tests.record import samples

SEEDS = (42, 43)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalog, Split]:
    folder = tmp_path_factory.mktemp("set")
    add_tiny_set(folder)
    catalog = catalogs.load(folder / "data", "tiny")
    return catalog, make(catalog, "kfold", folds=3)


@pytest.fixture
def runs(tmp_path: Path, data: tuple[Catalog, Split]) -> Path:
    """Six runs as far as judging them goes: predictions and a checkpoint each."""
    catalog, split = data
    for fold, rows in enumerate(split.rows(catalog)[str(fold)] for fold in range(3)):
        for seed in SEEDS:
            run = tmp_path / f"r{fold}-{seed}"
            logits = np.random.default_rng([fold, seed]).normal(size=(len(rows), 4))
            labels = labels_of(rows)
            logits[np.arange(len(rows)), labels] += 1.5
            Predictions(
                image_id=tuple(row.image_id for row in rows),
                sha256=tuple(row.sha256 for row in rows),
                group=tuple(row.group for row in rows),
                label=labels,
                logits=(3 * logits).astype(np.float32),
            ).write(run / "predictions_val.parquet")
            (run / "checkpoints").mkdir()
            (run / "checkpoints" / "best.ckpt").write_text(run.name)
    return tmp_path


def record(**states: str) -> CrossValidation:
    """Three folds with two seeds, all finished but those named, for example `r1_43="oom"`."""

    def member(fold: int, seed: int) -> Fold:
        state = states.get(f"r{fold}_{seed}", "finished")
        return Fold(fold=fold, seed=seed, run_id=f"r{fold}-{seed}", state=state)

    return CrossValidation(
        id="cv",
        name="cv",
        created=samples.BEGIN,
        command="scripts/inv cross-validate",
        overrides=(),
        config_sha256=samples.HASH,
        dataset="tiny",
        catalog_sha256=samples.HASH,
        split_sha256=samples.HASH,
        folds=3,
        seeds=SEEDS,
        members=tuple(member(fold, seed) for seed in SEEDS for fold in range(3)),
    )


def place_in(runs: Path) -> CrossValidationDir:
    place = CrossValidationDir(runs / "cross-validations" / "cv")
    place.figures.mkdir(parents=True)
    return place


def test_all_images_are_judged_and_calibrated_as_the_ensemble_will_be(
    runs: Path, data: tuple[Catalog, Split]
) -> None:
    place = place_in(runs)

    document = measure_folds(place, record(), *data, runs, tta="none")

    assert document == json.loads(place.metrics.read_text())
    assert document is not None
    summary, kept = document["splits"]["oof"], Calibration.read(place.calibration)
    assert document["coverage"]["by_official_split"] == {"train": 22, "val": 12, "test": 8}
    assert document["coverage"]["missing"] == []
    assert any("has looked at that split" in note for note in summary["notes"])

    tables = [Predictions.read(run / "predictions_val.parquet") for run in sorted(runs.glob("r*-*"))]
    labels, logits = (np.concatenate([getattr(t, name) for t in tables]) for name in ("label", "logits"))
    assert kept.temperature == pytest.approx(temperature.fit(labels, logits).temperature)
    assert kept.temperature > 1.3  # the logits above are three times too large
    assert (kept.fitted_on.split, kept.fitted_on.n) == ("oof", 42)
    by_image: dict[str, list[np.ndarray]] = {}
    for table in tables:
        probabilities = scores.softmax(table.logits.astype(np.float64) / kept.temperature)
        for image_id, label, row in zip(table.image_id, table.label, probabilities, strict=True):
            by_image.setdefault(image_id, []).append(row[label])
    loss = -np.mean([np.log(np.mean(rows)) for rows in by_image.values()])
    assert {len(rows) for rows in by_image.values()} == {2}
    assert summary["calibrated"]["metrics"]["oof/loss"]["value"] == pytest.approx(loss, rel=1e-5)
    assert summary["calibrated"]["temperature"] == kept.temperature

    ensemble = EnsembleList.read(place.ensemble)
    assert len(ensemble.members) == 6
    for member in ensemble.members:
        assert sha256_file(runs / member.checkpoint) == member.sha256
        assert member.temperature == kept.temperature


def test_a_seed_that_is_missing_is_said_and_a_fold_that_is_missing_is_named(
    runs: Path, data: tuple[Catalog, Split]
) -> None:
    catalog, split = data
    states = {"r1_43": "oom", "r2_42": "interrupted", "r2_43": "failed"}

    document = measure_folds(place_in(runs), record(**states), catalog, split, runs, tta="none")

    assert document is not None
    gone = sorted(row.image_id for row in split.rows(catalog)["2"])
    assert document["coverage"]["missing"] == gone
    assert document["coverage"]["seeds_of_fold"] == {"0": [42, 43], "1": [42], "2": []}
    notes = document["splits"]["oof"]["notes"]
    assert f"{42 - len(gone)} of 42 images judged out of fold" in " ".join(notes)
    assert any(note.startswith(f"{len(gone)} images not judged ({gone[0]}") for note in notes)
    assert "fold 1 rests on 1 of 2 seeds" in notes


def test_damage_leaves_one_member_out_by_name_and_no_members_leave_nothing(
    runs: Path, data: tuple[Catalog, Split]
) -> None:
    (runs / "r0-42" / "predictions_val.parquet").write_bytes(b"PAR1")
    (runs / "r1-42" / "checkpoints" / "best.ckpt").unlink()
    place = place_in(runs)

    document = measure_folds(place, record(), *data, runs, tta="none")

    assert document is not None
    notes = document["splits"]["oof"]["notes"]
    assert any(note.startswith("left out:") and "r0-42" in note for note in notes)
    assert "r1-42: its best checkpoint is gone, it is not in the ensemble" in notes
    assert document["coverage"]["missing"] == []
    assert len(EnsembleList.read(place.ensemble).members) == 4
    none = record()
    none = none.model_copy(
        update={"members": tuple(m.model_copy(update={"state": "oom"}) for m in none.members)}
    )
    empty = replace(place, path=place.path.with_name("other"))
    assert measure_folds(empty, none, *data, runs, tta="none") is None
    assert not empty.path.exists()
