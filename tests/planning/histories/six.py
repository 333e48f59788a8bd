"""The six histories, each a builder of a project from nothing."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ctexp.core.errors import Diverged
from tests.planning.histories.pictures import Pictures, import_pictures
from tests.planning.histories.trained import train
from tests.project import make_project


def overfitting(folder: Path) -> Path:
    """One run of a network that learns its images by heart, and grows surer of its errors."""
    project = project_with(folder, Pictures(train=32, faint=110, faintest=0.1))
    by_heart = ("augment=none", "loss.label_smoothing=0", "scheduler=constant", "optimizer.lr=1e-3")
    train(project, "run.name=baseline", *by_heart, "trainer.max_epochs=40")
    return project


def leaky_pair(folder: Path) -> Path:
    """Adeno- and squamous cell carcinoma look alike, and a third of val stands in training."""
    pictures = Pictures(
        train=50,
        alike=0.85,
        copies={"adenocarcinoma": 6, "large_cell_carcinoma": 12, "squamous_cell_carcinoma": 6, "normal": 18},
    )
    project = project_with(folder, pictures)
    for seed in (1, 2):
        train(project, "run.name=official", "data.split=official", "trainer.max_epochs=14", f"seed={seed}")
    train(project, "run.name=dropout", "data.split=official", "trainer.max_epochs=14", "model.dropout=0.3")
    return project


def converged(folder: Path) -> Path:
    """Three seeds that agree and know how sure they are, and two moves that have been tried."""
    project = project_with(folder, Pictures(train=80, val=40, faint=150, faintest=0.15))
    settled = (
        "scheduler=step",
        "scheduler.step_epochs=9",
        "trainer.max_epochs=18",
        "loss.label_smoothing=0.02",
    )
    for name, words in {
        "baseline": (),
        "dropout": ("model.dropout=0.4",),
        "ema": ("averaging=ema",),
    }.items():
        for seed in (1, 2, 3) if name == "baseline" else (1, 2):
            train(project, f"run.name={name}", *settled, *words, f"seed={seed}")
    return project


def noise(folder: Path) -> Path:
    """Labels that say nothing, and four single runs whose differences are chance."""
    project = project_with(folder, Pictures(train=50, telling=False))
    for name, words in {
        "baseline": (),
        "dropout": ("model.dropout=0.3",),
        "slow": ("optimizer.lr=1e-3",),
        "balanced": ("sampler=class_balanced",),
    }.items():
        train(project, f"run.name={name}", "trainer.max_epochs=8", *words)
    return project


def unstable(folder: Path) -> Path:
    """A learning rate far too high: losses leap, and without clipping they leave the numbers."""
    project = project_with(folder, Pictures(train=50, faint=100, faintest=0.15))
    hot = ("scheduler=constant", "optimizer.lr=0.04", "trainer.max_epochs=16")
    for seed in (1, 2):
        train(project, "run.name=hot", *hot, f"seed={seed}")
    train(
        project,
        "run.name=unclipped",
        *hot,
        "optimizer=sgd",
        "optimizer.lr=1e4",
        "trainer.gradient_clip=null",
        code=Diverged.exit_code,
    )
    return project


def rare_class(folder: Path) -> Path:
    """Squamous cell carcinoma is one training image in fifty, and hardly any of it is found."""
    counts = {
        "adenocarcinoma": 70,
        "large_cell_carcinoma": 60,
        "squamous_cell_carcinoma": 4,
        "normal": 60,
    }
    project = project_with(folder, Pictures(train=counts, faint=150, faintest=0.25))
    for seed in (1, 2):
        train(project, "run.name=baseline", "trainer.max_epochs=14", "optimizer.lr=1.5e-3", f"seed={seed}")
    return project


HISTORIES: Mapping[str, Callable[[Path], Path]] = {
    "overfitting": overfitting,
    "leaky_pair": leaky_pair,
    "converged": converged,
    "noise": noise,
    "unstable": unstable,
    "rare_class": rare_class,
}


def project_with(folder: Path, pictures: Pictures) -> Path:
    """A committed project with these images, imported and audited."""
    project = make_project(folder)
    import_pictures(project, "chest_ct", pictures)
    (project / ".venv").symlink_to(sys.prefix)
    return project
