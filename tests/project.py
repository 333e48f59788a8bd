"""A project of its own for a test: the real configuration, a real git repository, a small data set."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.data.intake.importer import import_dataset
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir

HERE = Path(__file__).parent.parent
INV = Path(sys.executable).with_name("inv")
DVC = Path(sys.executable).with_name("dvc")

_SETTINGS = ("CTEXP_", "DVC_", "WANDB_")

TINY = (
    "data.name=tiny",
    "model=tiny_cnn",
    "data.image_size=16",
    "data.batch_size=6",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=3",
    "logger=none",
)
"""Overrides of a training of four steps an epoch that takes a second."""


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody, whatever the machine's configuration says."""
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def call(
    project: Path, *command: str | Path, code: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in a project, without a terminal and without settings of this machine but `variables`."""
    nobody = {key: value for key, value in os.environ.items() if not key.startswith(_SETTINGS)}
    done = subprocess.run(
        command,
        cwd=project,
        env=nobody | {"DVC_SITE_CACHE_DIR": str(project.parent / "site"), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def inv(project: Path, *words: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the stock program, as people do."""
    return call(project, INV, *words, code=code, **variables)


def make_project(folder: Path) -> Path:
    """A committed project without data."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(HERE / "conf", folder / "conf")
    (folder / "conf" / "local.yaml").unlink(missing_ok=True)  # a person's own
    for name in ("tasks.py", ".gitignore", "pyproject.toml"):
        shutil.copy(HERE / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=start")
    return folder


def newest(runs: Path) -> RunDir:
    """The run that was begun last; ids tell no two of one second apart."""
    return RunDir(max(run_paths(runs), key=lambda path: (path / "manifest.json").stat().st_mtime_ns))


def add_pipeline(project: Path) -> None:
    """The data pipeline as this project has it, committed; `scripts/inv` is this environment's program."""
    for name in ("dvc.yaml", ".dvcignore", ".dvc/config", ".dvc/.gitignore"):
        (project / name).parent.mkdir(exist_ok=True)
        shutil.copy(HERE / name, project / name)
    code = "src/ctexp/data"  # which the stages watch
    shutil.copytree(HERE / code, project / code, ignore=shutil.ignore_patterns("__pycache__"))
    program = project / "scripts" / "inv"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {Path(sys.executable).with_name("inv")} "$@"\n')
    program.chmod(0o755)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=data pipeline")


def add_tiny_set(project: Path, name: str = "tiny", train: int = 22, val: int = 12) -> None:
    """Import noise with a bright square whose corner tells the class."""
    source = project / f"{name}-source"
    rng = np.random.default_rng(5)
    for split, count in (("train", train), ("valid", val), ("test", 8)):
        for index in range(count):
            label = index % len(CLASSES)
            image = rng.integers(0, 120, (20, 24)).astype(np.uint8)
            image[10 * (label // 2) :, 12 * (label % 2) :][:10, :12] += 100
            path = source / split / CLASSES[label] / f"{index} ({label}).png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    import_dataset(source, name, project / "data", seed=1)
    shutil.rmtree(source)
