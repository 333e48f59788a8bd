"""A project like that of somebody who has read the pages: sets, runs under the names they use, a home."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ctexp.core import clock
from ctexp.record import baselines
from ctexp.record.baselines import Baseline, Baselines
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.data import dicoms
from tests.kaggle import build_kaggle_tree
from tests.project import HERE, add_pipeline, add_tiny_set, git, make_project
from tests.research.answers import handler, plan

NIGHT = """
goal: A night of seconds.
baseline: resnet18
window: 1h
seeds: [1, 2]
retries: 0
common:
  - data=phantom
  - model=tiny_cnn
  - data.image_size=16
  - data.batch_size=6
  - trainer.accelerator=cpu
  - trainer.max_epochs=1
  - logger=none
reserve: {disk: 10MB, analysis: 1m}
experiments:
  resnet18: {hypothesis: The noise floor.}
  resnet50: {hypothesis: Dropout helps., overrides: [model.dropout=0.3]}
"""

RESEARCH = """
project: {name: Try}
experiments:
  noise_floor:
    name: How far equal recipes spread
    type: question
    phase: "1"
    sub_experiments: [spread]
    success_criteria:
      mean: {target: 0.1, direction: higher}
"""

SPREAD = """
STUB = {"finding": "fine", "metrics": {"mean": (0.9, 0.8, 1.0)}}

def e_spread(runner):
    runs = runner.runs.of("base")
    mean = runner.mean(runner.figures(runs, "val/macro_f1"))
    return {"finding": f"Macro F1 is {mean}.", "metrics": {"mean": mean}}
"""

_MINE = ("CTEXP_", "WANDB_", "DVC_", "GIT_")
_TRAINING = (
    *("model=tiny_cnn", "data.image_size=16", "data.batch_size=6", "trainer.accelerator=cpu"),
    *("trainer.max_epochs=1", "logger=none"),
)


@dataclass
class Desk:
    """Where commands are typed, one after another, as in one shell.

    Attributes:
        home: what `~` means; it holds the project, `ctexp`.
        where: the working folder, which a command may leave for another.
        run: what `$RUN` means.
        more: variables besides.
        typed: commands that other pages have had already.
    """

    home: Path
    where: Path
    run: str = ""
    more: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.home / "ctexp"

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of bash, and stay where it has gone."""
        left = self.home / "left"
        done = subprocess.run(
            ["bash", "-c", f'{line}\ncode=$?; pwd > "{left}"; exit $code'],
            cwd=self.where,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.where = Path(left.read_text().strip())
        return done

    def do(self, line: str) -> str:
        """What a line says that has to succeed."""
        done = self.type(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def train(self, name: str, *words: str) -> RunDir:
        """A run of a second or two."""
        self.do(" ".join(["inv train", f"run.name={name}", *_TRAINING, *words]))
        return RunDir(
            next(path for path in run_paths(self.project / "runs") if path.name.startswith(f"{name}_"))
        )

    def environment(self) -> dict[str, str]:
        """What a program here is given."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(_MINE)}
        who = {
            f"GIT_{role}_{what}": "t@example.org"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return (
            plain
            | who
            | {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / ".cache"), "RUN": self.run}
            | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
            | {"DVC_SITE_CACHE_DIR": str(self.home / "site"), "HF_HUB_OFFLINE": "1"}
            | self.more
        )


def begun(home: Path) -> Desk:
    """A desk whose project has images and no run."""
    project = make_project(home / "ctexp")
    add_pipeline(project)
    shutil.copytree(
        HERE / "src", project / "src", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    for lock in ("requirements.lock", "requirements-dev.lock"):
        shutil.copy(HERE / lock, project)
    (project / ".venv").symlink_to(sys.prefix)
    with (project / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write("/.venv\n/scans\n/patients.csv\n/bad.txt\n/answers.csv\n")
    plan(project, RESEARCH)
    handler(project, "noise_floor", "spread", SPREAD)
    (project / "research" / "plans").mkdir()
    (project / "research" / "plans" / "backbones.yaml").write_text(NIGHT)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=mine")
    build_kaggle_tree(home, scale=0.1, seed=3)
    (home / "Downloads").mkdir()
    shutil.make_archive(str(home / "Downloads" / "archive"), "zip", home, "Data")
    add_tiny_set(project, "phantom")
    _scans(project / "scans")
    (project / "patients.csv").write_text("image,patient\n" + "".join(f"{k}.dcm,p{k}\n" for k in range(16)))
    (project / "bad.txt").write_text("# moved\n0.dcm\n")
    (home / "new-scans").mkdir()
    Image.effect_noise((60, 40), 90).save(home / "new-scans" / "a.png")
    return Desk(home, project)


def trained(desk: Desk) -> None:
    """Runs under the names that the pages use, a night's and a baseline's among them."""
    for seed in (1, 2):
        desk.train("resnet18", f"seed={seed}")
        desk.train("resnet50", f"seed={seed}", "model.dropout=0.3")
    for name in ("base", "wide", "clean", "night-3"):
        desk.train(name)
    changed = desk.project / "conf" / "loss" / "cross_entropy.yaml"
    before = changed.read_text()
    changed.write_text(f"{before}# changed\n")
    dirty = desk.train("dirty", "--yes")
    changed.write_text(before)
    desk.run = str(dirty.path)
    poor = desk.train("poor", "optimizer.lr=1e-7")
    baseline = Baseline(
        title="poor",
        kind="name",
        runs=(poor.id,),
        folder="research/baselines/poor",
        promoted=clock.iso(clock.now()),
        command="scripts/inv compare-baselines --candidate poor --promote",
        over="poorer",
        split="val",
        metric="macro_f1",
        value=0.1,
        difference=0.05,
    )
    baselines.write(desk.project, Baselines().then(baseline))


def _scans(folder: Path) -> None:
    """Sixteen slices of as many people, four of each class."""
    classes = ("adenocarcinoma", "large_cell_carcinoma", "squamous_cell_carcinoma", "normal")
    for k in range(16):
        stored = np.random.default_rng(k).integers(0, 2000, (32, 32)).astype(np.int16)
        path = folder / classes[k % 4] / f"{k}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        slice_ = dicoms.slice_(
            stored, PatientID=f"P{k}", StudyInstanceUID=f"1.2.{k}", SeriesInstanceUID=f"1.2.{k}.1"
        )
        path.write_bytes(dicoms.encoded(slice_))
