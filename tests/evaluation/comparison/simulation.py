"""Invented networks on invented images: what the verdict procedure does where the truth is known.

    python -m tests.evaluation.comparison.simulation    prints the tables of the documentation

An image is easy or hard for all networks alike, a training has a skill of its own, and each answer some luck:
logits = skill x truth + image + luck. So networks err on the same images, and trainings of one experiment
differ, as real ones do: `spread` is the variance of a difference of accuracy between two trainings on all the
images in the world, in terms of what the choice of images adds to it.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ctexp.core.classes import CLASSES
from ctexp.evaluation import scores
from ctexp.evaluation.comparison import Judged, judge, pair
from ctexp.evaluation.predictions import Predictions

FAMILY = ("macro_f1", "balanced_accuracy", "accuracy", "auroc", "miss_rate")
PRIOR = np.array([120, 51, 90, 54]) / 315
HARD, LUCK = 0.8, 0.6
SKILL = 2.0  # an accuracy of 0.82
ALPHA = 0.05
RESAMPLES = 400

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What is compared.

    Attributes:
        images: how many.
        seeds: of the baseline and of the candidate.
        spread: how different trainings of one experiment are; see above.
        gain: how much more accurate the candidate is in truth.
        copies: images a group, all copies of one.
        skill: of the baseline.
    """

    images: int
    seeds: tuple[int, int] = (1, 1)
    spread: float = 0.0
    gain: float = 0.0
    copies: int = 1
    skill: float = SKILL


def images(random: np.random.Generator, count: int, copies: int = 1) -> tuple[Labels, Floats]:
    """True classes `(N,)`, and what is hard about each image `(N, 4)`; copies are the same image again."""
    originals = -(-count // copies)
    labels = random.choice(len(CLASSES), originals, p=PRIOR)
    hard = HARD * random.normal(size=(originals, len(CLASSES)))
    return np.repeat(labels, copies)[:count], np.repeat(hard, copies, axis=0)[:count]


def trained(
    random: np.random.Generator, labels: Labels, hard: Floats, skill: float, copies: int = 1
) -> Floats:
    """The logits of one network, `(N, 4)`; it answers alike to copies of an image."""
    luck = random.normal(size=(-(-len(labels) // copies), len(CLASSES)))
    return skill * np.eye(len(CLASSES))[labels] + hard + LUCK * np.repeat(luck, copies, axis=0)[: len(labels)]


@cache
def truth(skill: float, count: int = 400_000) -> dict[str, float]:
    """The metrics of a network of this skill on very many images."""
    random = np.random.default_rng(1)
    labels, hard = images(random, count)
    values = scores.weighted(labels, trained(random, labels, hard, skill), np.ones((1, count)))
    return {name: float(value[0]) for name, value in values.items()}


@cache
def skill_for(gain: float, skill: float) -> float:
    """The skill whose accuracy is higher by `gain`."""
    low, high = skill - 2, skill + 3
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if truth(middle)["accuracy"] < truth(skill)["accuracy"] + gain else (low, middle)
        )
    return low


@cache
def training_sd(world: World) -> float:
    """How much skill differs from training to training in this world."""
    random = np.random.default_rng(2)
    labels, hard = images(random, 400_000)
    right = [trained(random, labels, hard, world.skill).argmax(axis=1) == labels for _ in range(2)]
    of_images = float((right[0].astype(float) - right[1]).var()) / world.images
    step = 0.05
    slope = truth(world.skill + step)["accuracy"] - truth(world.skill - step)["accuracy"]
    return float(np.sqrt(world.spread * of_images / 2)) / (slope / (2 * step))


def experiments(world: World, seed: int) -> tuple[list[Predictions], list[Predictions]]:
    """The tables of a baseline and a candidate on the same images."""
    random = np.random.default_rng(seed)
    labels, hard = images(random, world.images, world.copies)
    ids = tuple(str(image) for image in range(world.images))
    groups = tuple(str(image // world.copies) for image in range(world.images))
    sd = training_sd(replace(world, gain=0.0, copies=1, seeds=(1, 1)))

    def tables(count: int, skill: float) -> list[Predictions]:
        skills = skill + sd * random.normal(size=count)
        logits = [trained(random, labels, hard, its, world.copies).astype(np.float32) for its in skills]
        return [Predictions(ids, ids, groups, labels, its) for its in logits]

    better = skill_for(world.gain, world.skill) if world.gain else world.skill
    return tables(world.seeds[0], world.skill), tables(world.seeds[1], better)


def judged(world: World, seed: int) -> Judged:
    """The whole procedure, once."""
    baseline, candidate = experiments(world, seed)
    return judge([pair(baseline, candidate, FAMILY, seed=seed, resamples=RESAMPLES)], ALPHA)[0]


def verdicts(world: World, seed: int) -> list[bool]:
    """Which metrics of the family are called better, and which worse: ten truth values."""
    found = judged(world, seed).metrics
    return [found[name].verdict == call for call in ("better", "worse") for name in FAMILY]


def covered(world: World, seed: int) -> list[float]:
    """Of which metrics the interval holds the true difference, 1 or 0: of images alone, then the whole one.

    NaN where there is none: where the two differ in no image that counts, all resamples are alike.
    """
    found = judged(world, seed).metrics
    better = skill_for(world.gain, world.skill) if world.gain else world.skill
    after, before = truth(better), truth(world.skill)
    answers = []
    for whole in (False, True):
        for name in FAMILY:
            its = found[name]
            if its.difference is None or its.image_se is None or its.high is None:
                answers.append(float("nan"))
                continue
            half = its.high - its.difference if whole else float(stdtrit(its.image_df, 0.975)) * its.image_se
            answers.append(float(abs(its.difference - (after[name] - before[name])) <= half))
    return answers


def repeat(
    what: Callable[[World, int], Sequence[float]], worlds: Sequence[World], times: int
) -> list[Floats]:
    """The answers of many repetitions in each world, `(times, answers)`; on two processors."""
    jobs = [(world, 7919 * seed + world.images) for world in worlds for seed in range(times)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        answers = list(processes.map(what, *zip(*jobs, strict=True), chunksize=8))
    return [
        np.array(answers[start : start + times], dtype=np.float64) for start in range(0, len(jobs), times)
    ]


def false_alarms(worlds: Sequence[World], times: int) -> list[float]:
    """How often any metric of the family is called better or worse, in worlds without a difference."""
    return [float(called.any(axis=1).mean()) for called in repeat(verdicts, worlds, times)]


def main(times: int) -> None:
    """Print the tables."""
    print(f"\nAny of {len(FAMILY)} metrics called where neither side is better ({times} repetitions)\n")
    print("| seeds a side | spread of trainings | 72 images | 269 images | 1,000 images | 269, in threes |")
    print("|---|---|---|---|---|---|")
    for seeds in ((1, 1), (1, 5), (2, 2), (3, 3), (5, 5)):
        # Beyond 1 a single seed a side is outside of what is assumed for it.
        for spread in (0.0, 0.5, 1.0, 2.0, 4.0) if seeds == (1, 1) else (0.0, 1.0, 4.0):
            of = World(72, seeds, spread)
            worlds = [
                of,
                replace(of, images=269),
                replace(of, images=1000),
                replace(of, images=269, copies=3),
            ]
            rates = " | ".join(f"{rate:.3f}" for rate in false_alarms(worlds, times))
            print(f"| {seeds[0]} and {seeds[1]} | {spread:g} | {rates} |", flush=True)

    print(f"\nAccuracy called better (spread 1, {times // 3} repetitions)\n")
    print("| images | gain | 1 seed a side | 3 | 5 |\n|---|---|---|---|---|")
    for count in (72, 269, 1000):
        for gain in (0.03, 0.05, 0.10):
            worlds = [World(count, (seeds, seeds), 1.0, gain) for seeds in (1, 3, 5)]
            called = repeat(verdicts, worlds, times // 3)
            rates = " | ".join(f"{its[:, FAMILY.index('accuracy')].mean():.2f}" for its in called)
            print(f"| {count:,} | +{gain:.2f} | {rates} |", flush=True)

    print(f"\nIntervals that hold the true difference (95 % meant, gain 0.05, {times} repetitions)\n")
    print("| images | " + " | ".join(FAMILY) + " |\n" + "|---" * (1 + len(FAMILY)) + "|")
    for seeds, spread, said in (((1, 1), 0.0, "images alone"), ((5, 5), 1.0, "5 seeds a side")):
        grouped = [
            World(count, seeds, spread, 0.05, copies) for count in (72, 269, 1000) for copies in (1, 3)
        ]
        for world, held in zip(grouped, repeat(covered, grouped, times), strict=True):
            rates = np.nanmean(held, axis=0)[:5] if seeds == (1, 1) else np.nanmean(held, axis=0)[5:]
            in_groups = ", in threes" if world.copies > 1 else ""
            print(
                f"| {world.images:,}{in_groups}; {said} | "
                + " | ".join(f"{rate:.3f}" for rate in rates)
                + " |"
            )
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
