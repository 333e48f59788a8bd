"""Projects to propose plans for: real images, whole records of trainings that never were."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctexp.core import files, yaml_file
from ctexp.core.paths import splits_folder
from ctexp.data import catalog as catalogs
from ctexp.data.splits import split_file
from ctexp.planning import study
from ctexp.planning.diagnosis.diagnose import diagnose
from ctexp.planning.moves import catalogue
from ctexp.planning.proposal import wishes
from ctexp.planning.proposal.documents import Proposal
from ctexp.planning.proposal.propose import propose
from ctexp.record.manifest import Origin
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.project import HERE, add_tiny_set

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
WORDS = ("data=phantom", "model=tiny_cnn", "logger=none", "data.name=tiny", "trainer.accelerator=cpu")
"""What makes the incumbent of these projects."""

MOVES = """\
ema:
  category: training
  overrides: [averaging=ema]
  hypothesis: An average is steadier than the last step.
  expected: The curve is smoother.
  effects:
    val/macro_f1: {gain: 0.01, sd: 0.03}
  source: made up
higher_lr:
  category: training
  scale: {optimizer.lr: 3.0}
  hypothesis: Larger steps get further.
  expected: The training loss ends lower.
  effects:
    val/macro_f1: {gain: 0.005, sd: 0.02}
    val/ece: {gain: 0.0, sd: 0.02}
  source: made up
dropout:
  category: architecture
  when: [overfitting, noise_floor_unknown]
  overrides: [model.dropout=0.3]
  hypothesis: Features that are missing now and then are not relied upon.
  expected: The gap between training and validation narrows.
  effects:
    val/macro_f1: {gain: 0.003, sd: 0.02}
  source: made up
  fallback:
    oom: [data.batch_size=8]
weight_decay:
  category: sweep
  variants:
    tenth: {scale: {optimizer.weight_decay: 0.1}}
    tenfold: {scale: {optimizer.weight_decay: 10.0}}
  hypothesis: How small weights are held decides what is learned by heart.
  expected: The curves move towards each other.
  effects:
    val/macro_f1: {gain: 0.0, sd: 0.02}
  source: made up
"""
"""A catalogue that stays as it is, whatever is shipped."""


def with_images(folder: Path) -> Path:
    """A project with a data set of twelve validation images per class, no trainings, and few moves."""
    shutil.copytree(HERE / "conf", folder / "conf")
    (folder / "conf" / "local.yaml").unlink(missing_ok=True)  # a person's own
    shutil.copy(HERE / "tasks.py", folder / "tasks.py")
    for file in (folder / "conf" / "moves").glob("*.yaml"):
        file.unlink()
    (folder / "conf" / "moves" / "few.yaml").write_text(MOVES)
    add_tiny_set(folder, val=48)
    return folder


def a_run(
    root: Path, name: str, seed: int, *words: str, skill: float = 1.5, night: str = "", job: str = ""
) -> RunDir:
    """A training of `WORDS` and some more, on the project's images, perhaps of a night."""
    catalog = catalogs.load(root / "data", "tiny")
    _, sha256 = split_file.find(splits_folder(root), catalog, "official")
    images = judged.dataset(name="tiny", catalog_sha256=catalog.sha256, split_sha256=sha256)
    changes: dict[str, Any] = {"dataset": images}
    if night:
        changes["origin"] = Origin(plan=night.rpartition("_")[0], queue=night, job=job)
    typed = (*WORDS, *words)
    own = tuple(word for word in typed if word not in judged.OVERRIDES)
    run = judged.a_run(root / "runs", name, seed, skill=skill, overrides=own, **changes)
    files.write_text(run.overrides, yaml_file.dump(list(typed)))
    return run


def proposed(root: Path, name: str = "night-1", start: str | None = None, **wanted: Any) -> Proposal:
    """What `inv plan` proposes, by the study, the diagnosis and the catalogue that it takes."""
    seen = study.read(root, root / "runs", start=start)
    asked = wishes.read(name, start=start, **wanted)
    return propose(seen, diagnose(seen), catalogue.load(root), asked, NOW)


def stages(proposal: Proposal) -> list[str]:
    """The stage of each experiment, in order."""
    return [reason.stage for reason in proposal.reasons.values()]


def of_stage(proposal: Proposal, stage: str) -> Sequence[str]:
    """The experiments of a stage."""
    return [name for name, reason in proposal.reasons.items() if reason.stage == stage]
