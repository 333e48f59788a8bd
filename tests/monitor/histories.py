"""Prepared histories: real tiny trainings, made sick in one way on purpose, or healthy.

    python -m tests.monitor.histories FOLDER DRAW [NAME ...]

builds them, judges them and prints the table of docs/monitor.md. `DRAW` is the seed of all images and of
their trainings.
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ctexp.core.classes import CLASSES
from ctexp.core.errors import Diverged
from ctexp.monitor.judge import report
from ctexp.monitor.meant import meant
from ctexp.monitor.neighbours import Neighbours
from tests.monitor.pictures import import_set
from tests.planning.histories.pictures import Pictures
from tests.planning.histories.trained import train
from tests.project import inv, make_project

CLEAR = Pictures(train=60, val=40, faint=150, faintest=0.15)
"""A set that a small network learns to five answers in six, and that some images of cannot be told."""

WELL = ("scheduler=step", "scheduler.step_epochs=8", "trainer.max_epochs=14", "loss.label_smoothing=0.02")
"""A recipe that suits it."""

BY_HEART = ("augment=none", "loss.label_smoothing=0", "scheduler=constant")


@dataclass(frozen=True)
class Bench:
    """Where a history is made.

    Attributes:
        project: its folder.
        draw: the seed of its images; those of its trainings follow from it.
    """

    project: Path
    draw: int

    def images(self, pictures: Pictures, *, wrong: float = 0.0, marked: float = 0.0) -> None:
        """Draw a set, in the place of any that is there."""
        if not self.project.exists():
            make_project(self.project)
        import_set(self.project, replace(pictures, seed=self.draw), wrong=wrong, marked=marked)

    def train(self, *words: str, code: int = 0) -> None:
        """`inv train`."""
        train(self.project, f"seed={41 + self.draw}", *words, code=code)


@dataclass(frozen=True)
class History:
    """A project to be judged.

    Attributes:
        build: makes it.
        sick: what is wrong with it, a few words; of a healthy one what it is.
        rules: any of which finds it; none of a healthy one.
        follows: rules that may speak besides, because what they say is true of it too.
        run: what `inv monitor` is asked about.
    """

    build: Callable[[Bench], None]
    sick: str
    rules: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    run: str = "latest"


@dataclass(frozen=True)
class Verdict:
    """What the monitor made of a history.

    Attributes:
        found: the rules that spoke with at least a warning, and of a note those that were looked for.
        missed: whether none of those looked for did.
        false: the rules that gave at least a warning without a reason.
    """

    found: tuple[str, ...]
    missed: bool
    false: tuple[str, ...]


def verdict(history: History, document: dict[str, Any]) -> Verdict:
    """Hold what `inv monitor --json` said against what is true."""
    findings = [*document["project"], *(one for run in document["runs"] for one in run["findings"])]
    wanted = [one["rule"] for one in findings if one["rule"] in history.rules and not one["passed"]]
    warned = [one["rule"] for one in findings if one["severity"] != "note"]
    known = {*history.rules, *history.follows}
    return Verdict(
        tuple(dict.fromkeys([*wanted, *warned])),
        bool(history.rules) and not wanted,
        tuple(dict.fromkeys(rule for rule in warned if rule not in known)),
    )


def looked(history: History, project: Path) -> dict[str, Any]:
    """What `inv monitor` says, as a document."""
    others = Neighbours(project / "runs")
    chosen = meant(project, others, history.run, "val/macro_f1")
    return report(chosen, project, others, whole=False).document()


def learned_by_heart(bench: Bench) -> None:
    bench.images(Pictures(train=24, faint=110, faintest=0.1))
    bench.train(*BY_HEART, "optimizer.lr=1e-3", "trainer.max_epochs=24")


def ever_surer(bench: Bench) -> None:
    bench.images(Pictures(train=50, faint=140, faintest=0.1), wrong=0.3)
    bench.train(*BY_HEART, "optimizer.lr=2e-3", "trainer.max_epochs=30")


def no_number(bench: Bench) -> None:
    bench.images(CLEAR)
    far = ("scheduler=constant", "optimizer=sgd", "optimizer.lr=1e4", "trainer.gradient_clip=null")
    bench.train(*far, "trainer.max_epochs=8", code=Diverged.exit_code)


def restless(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train("scheduler=constant", "optimizer.lr=0.1", "trainer.max_epochs=20")


def too_slow(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train("optimizer.lr=1e-6", "trainer.max_epochs=12")


def stuck(bench: Bench) -> None:
    bench.images(Pictures(train=80, faint=200, faintest=0.6, alike=1.0))
    bench.train("scheduler=constant", "optimizer.lr=3e-3", "trainer.max_epochs=40")


def leaking(bench: Bench) -> None:
    bench.images(replace(CLEAR, copies=dict.fromkeys(CLASSES, 15)))
    bench.train(*WELL, "data.split=official")


def given_away(bench: Bench) -> None:
    bench.images(CLEAR, marked=1)
    bench.train(*WELL, "augment=none", "trainer.max_epochs=8")


def marked_validation(bench: Bench) -> None:
    bench.images(Pictures(train=120, val=40, telling=False), marked=0.5)
    bench.train(*WELL, "augment=none", "optimizer.lr=3e-4", "trainer.max_epochs=7")


def dead(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train("scheduler=constant", "optimizer.lr=0.3", "optimizer.weight_decay=3", "trainer.max_epochs=10")


def rare(bench: Bench) -> None:
    counts = {"adenocarcinoma": 70, "large_cell_carcinoma": 60, "squamous_cell_carcinoma": 3, "normal": 60}
    bench.images(Pictures(train=counts, faint=150, faintest=0.25))
    bench.train("trainer.max_epochs=12")


def without_effect(bench: Bench) -> None:
    bench.images(CLEAR)
    for patience in (12, 20):
        arm = ("scheduler=plateau", f"scheduler.patience={patience}", f"run.name=patience-{patience}")
        bench.train(*arm, "trainer.max_epochs=10")


def of_late_worse(bench: Bench) -> None:
    six_seeds(bench)
    bench.images(CLEAR, wrong=0.5)
    bench.train(*WELL, "run.name=steady", f"seed={bench.draw + 6}")


def decided_on_one_seed(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train("run.name=short", "trainer.max_epochs=2")
    bench.train(*WELL, "run.name=long")
    inv(bench.project, "compare-baselines", "--baseline", "long", "--candidate", "short")


def slow_batches(bench: Bench) -> None:
    bench.images(Pictures(train=200, val=10, faint=150, faintest=0.3))
    costly = ("augment=strong", "augment.elastic=0.1", "augment.jpeg=0.9", "augment.noise=0.1")
    cheap = ("finetune=frozen", "data.image_size=16", "data.batch_size=200")
    bench.train(*WELL, *costly, *cheap, "trainer.max_epochs=8")


def well(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train(*WELL)


def seeds_with_dropout(bench: Bench) -> None:
    bench.images(CLEAR)
    for seed in (1, 2, 3):
        bench.train(*WELL, "model.dropout=0.3", "run.name=dropout", f"seed={bench.draw + seed - 1}")


def strongly_augmented(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train(*WELL, "augment=strong", "augment.mixup=0.2", "trainer.max_epochs=18")


def six_seeds(bench: Bench) -> None:
    bench.images(CLEAR)
    for seed in range(1, 7):
        bench.train(*WELL, "run.name=steady", f"seed={bench.draw + seed - 1}")


def balanced(bench: Bench) -> None:
    counts = {"adenocarcinoma": 80, "large_cell_carcinoma": 40, "squamous_cell_carcinoma": 60, "normal": 50}
    bench.images(Pictures(train=counts, val=30, faint=160, faintest=0.3))
    bench.train(*WELL, "sampler=class_balanced")


def averaged(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train("averaging=ema", "scheduler=cosine", "trainer.max_epochs=16")


def one_cycle(bench: Bench) -> None:
    bench.images(CLEAR)
    bench.train("optimizer=sgd", "optimizer.lr=0.05", "scheduler=one_cycle", "trainer.max_epochs=16")


def plain_and_clear(bench: Bench) -> None:
    bench.images(Pictures(train=120, val=40, faint=170, faintest=0.4))
    bench.train(*WELL, "augment=none", "trainer.max_epochs=12")


HISTORIES: dict[str, History] = {
    "learned_by_heart": History(
        learned_by_heart, "96 images, nothing augmented", ("overfitting",), ("calibration_drift",)
    ),
    "ever_surer": History(
        ever_surer, "wrong labels, learned by heart", ("calibration_drift",), ("overfitting", "instability")
    ),
    "no_number": History(no_number, "a learning rate of 1e4", ("divergence",)),
    "restless": History(
        restless,
        "a learning rate thirty times too high",
        ("instability",),
        ("class_never_predicted", "underfitting"),
    ),
    "too_slow": History(
        too_slow,
        "a learning rate of 1e-6",
        ("underfitting", "at_chance"),
        ("class_never_predicted", "dead_outputs"),
    ),
    "stuck": History(stuck, "two classes that look the same, a constant rate", ("plateau",)),
    "leaking": History(leaking, "60 of 160 validation images are copies", ("leakage",)),
    "given_away": History(given_away, "a bar at the border tells the class", ("implausible",)),
    "marked_validation": History(
        marked_validation,
        "a bar on every validation image, on half of training's",
        ("validation_above_training",),
        ("implausible",),
    ),
    "dead": History(
        dead,
        "weights decayed to nothing",
        ("dead_outputs",),
        ("at_chance", "underfitting", "instability", "class_never_predicted"),
    ),
    "rare": History(rare, "3 images of 193 are of a class", ("class_never_predicted",)),
    "without_effect": History(without_effect, "a patience that is never reached", ("identical_runs",)),
    "of_late_worse": History(
        of_late_worse, "the seventh run on spoilt labels", ("outside_history",), ("calibration_drift",)
    ),
    "decided_on_one_seed": History(
        decided_on_one_seed, "a candidate abandoned after one seed", ("single_seed",), run="short"
    ),
    "slow_batches": History(
        slow_batches,
        "costly augmentation, hardly a network",
        ("slow_input",),
        ("at_chance", "underfitting", "dead_outputs"),
    ),
    "well": History(well, "a recipe that suits the set"),
    "seeds_with_dropout": History(seeds_with_dropout, "three seeds with dropout", run="dropout"),
    "strongly_augmented": History(strongly_augmented, "strong augmentation and mixing"),
    "six_seeds": History(six_seeds, "the last of six seeds"),
    "balanced": History(balanced, "classes of 40 to 80 images, drawn alike"),
    "averaged": History(averaged, "averaged weights, a cosine"),
    "one_cycle": History(one_cycle, "momentum, one cycle"),
    "plain_and_clear": History(plain_and_clear, "480 clear images, nothing augmented"),
}


def main(folder: Path, draw: int, names: list[str]) -> None:
    """Build what is not there yet, judge all of it, print the table."""
    for name in names or HISTORIES:
        history, project = HISTORIES[name], folder / name
        if not (project / "built").exists():
            shutil.rmtree(project, ignore_errors=True)
            history.build(Bench(project, draw))
            (project / "built").touch()
        made = verdict(history, looked(history, project))
        outcome = "missed" if made.missed else "false alarm" if made.false else "right"
        wanted = " or ".join(history.rules) or "nothing"
        found = ", ".join(made.found) or "nothing"
        print(f"| {name} | {history.sick} | {wanted} | {found} | {outcome} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
