"""How often the rules about answers speak where nothing is wrong, and where something is.

`python -m tests.planning.diagnosis.simulation 200` prints both.
"""

import sys
from collections.abc import Callable, Sequence

import numpy as np

from ctexp.evaluation.predictions import Predictions
from ctexp.planning.diagnosis.findings import Kind
from ctexp.planning.diagnosis.rules import OF_ANSWERS, RULES
from tests.planning.diagnosis.made import answers, evidence, facts, table

Tables = dict[int, Predictions]
Make = Callable[[int], Tables]
GUESSES = 1e-6
"""A skill that leaves noise in the logits, and no knowledge."""


def sound(images: int, skill: float, seeds: int, copies: int = 1) -> Make:
    """Calibrated networks whose errors fall as they may."""
    return lambda draw: answers([images // 4] * 4, skill, seeds, draw=draw, copies=copies)


def too_sure(images: int, skill: float, seeds: int) -> Make:
    """Networks that are twice as sure as they have a right to be, in logits."""
    return lambda draw: answers([images // 4] * 4, skill, seeds, draw=draw, sharpness=2)


def wrong_labels(images: int, skill: float, seeds: int, share: float) -> Make:
    """Sound networks, and images of which some carry another label."""

    return lambda draw: mislabelled(sound(images, skill, seeds)(draw), share, draw)


def mislabelled(made: Tables, share: float, draw: int = 0) -> Tables:
    """The same answers to images of which some carry another label."""
    rng = np.random.default_rng(1000 + draw)
    label = made[1].label.copy()
    wrong = rng.random(len(label)) < share
    label[wrong] = (label[wrong] + rng.integers(1, 4, wrong.sum())) % 4
    return {seed: table(label, its.logits) for seed, its in made.items()}


def a_pair(images: int, skill: float, seeds: int) -> Make:
    """Networks that see next to nothing of what tells adeno- from squamous cell carcinoma."""

    def make(draw: int) -> Tables:
        changed = {}
        for seed, its in sound(images, skill, seeds)(draw).items():
            logits = its.logits.astype(np.float64)
            mean = logits[:, [0, 2]].mean(axis=1, keepdims=True)
            logits[:, [0, 2]] = mean + 0.02 * (logits[:, [0, 2]] - mean)
            logits[:, 0] += np.random.default_rng((draw, seed)).normal(size=len(logits))
            changed[seed] = table(its.label, logits)
        return changed

    return make


def spoke(made: Tables, kinds: Sequence[Kind] = OF_ANSWERS) -> dict[str, bool]:
    """Which rules speak of these answers, and whether they are taken for guesses."""
    counts = np.bincount(next(iter(made.values())).label, minlength=4).tolist()
    seen = evidence(made, data=facts(train=(195, 90, 155, 148), val=counts))
    guessing = seen.guessing  # of guesses nothing is said
    heard = {kind: not guessing and RULES[kind](seen).state == "seen" for kind in kinds}
    return heard | {"guessing": guessing}


def rates(make: Make, draws: int, kinds: Sequence[Kind] = OF_ANSWERS) -> dict[str, float]:
    """In which share of the draws each rule speaks."""
    heard = [spoke(make(draw), kinds) for draw in range(draws)]
    return {kind: sum(one[kind] for one in heard) / draws for kind in heard[0]}


def main(draws: int) -> None:
    """Print the table."""
    cases: dict[str, Make] = {
        f"sound, {n} images, skill {skill:g}, {seeds} seeds": sound(n, skill, seeds)
        for n, skill, seeds in ((72, 2, 1), (72, 3, 3), (240, 2, 3), (240, 3, 1), (1000, 2, 1), (1000, 3, 3))
    }
    cases["sound, 240 images in threes of copies"] = sound(80, 2, 3, copies=3)
    cases["guesses, 240 images"] = sound(240, GUESSES, 1)
    for n in (72, 240, 1000):
        cases[f"skill 4, 5 % wrong labels, {n} images"] = wrong_labels(n, 4, 3, 0.05)
        cases[f"skill 2.5, 10 % wrong labels, {n} images"] = wrong_labels(n, 2.5, 1, 0.1)
        cases[f"a confused pair, {n} images"] = a_pair(n, 3.5, 3)
        cases[f"too sure by 2, {n} images"] = too_sure(n, 2, 3)
    kinds = (*OF_ANSWERS, "guessing")
    print(f"{'':42}" + "".join(f"{kind:>14}" for kind in kinds))
    for name, make in cases.items():
        heard = rates(make, draws)
        print(f"{name:42}" + "".join(f"{heard[kind]:14.3f}" for kind in kinds))


if __name__ == "__main__":
    main(int(sys.argv[1]))
