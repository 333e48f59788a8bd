"""How often the rules about answers speak where nothing is wrong, and where something is.

`python -m tests.planning.diagnosis.simulation 200` prints both.
"""

import sys
from collections.abc import Callable, Mapping

import numpy as np

from ctexp.evaluation.predictions import Predictions
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.diagnosis.rules import OF_ANSWERS, RULES
from tests.planning.diagnosis.made import answers, evidence, facts, table

Tables = dict[int, Predictions]
Make = Callable[[int], Tables]


def sound(images: int, skill: float, seeds: int, copies: int = 1) -> Make:
    """Calibrated networks whose errors fall as they may."""
    return lambda draw: answers([images // 4] * 4, skill, seeds, draw=draw, copies=copies)


def with_wrong_labels(made: Tables, share: float, draw: int) -> Tables:
    """The same answers to images of which some carry another label."""
    rng = np.random.default_rng(1000 + draw)
    label = next(iter(made.values())).label.copy()
    wrong = rng.random(len(label)) < share
    label[wrong] = (label[wrong] + rng.integers(1, 4, wrong.sum())) % 4
    return {seed: table(label, its.logits) for seed, its in made.items()}


def with_a_pair(made: Tables, strength: float) -> Tables:
    """Networks that see less of what tells adenocarcinoma from squamous cell carcinoma."""
    changed = {}
    for seed, its in made.items():
        logits = its.logits.astype(np.float64)
        mean = logits[:, [0, 2]].mean(axis=1, keepdims=True)
        logits[:, [0, 2]] = mean + (1 - strength) * (logits[:, [0, 2]] - mean)
        rng = np.random.default_rng(seed)
        logits[:, 0] += strength * rng.normal(size=len(logits))
        changed[seed] = table(its.label, logits)
    return changed


def found(made: Tables, rules: tuple[str, ...] = OF_ANSWERS) -> Mapping[str, Finding]:
    """What the rules say of a set of answers."""
    counts = np.bincount(next(iter(made.values())).label, minlength=4).tolist()
    seen = evidence(made, data=facts(train=(195, 90, 155, 148), val=counts))
    return {kind: rule(seen) for kind, rule in RULES.items() if kind in rules} | {
        "guessing": seen.guessing  # type: ignore[dict-item]
    }


def rates(make: Make, draws: int) -> dict[str, float]:
    """In which share of the draws each rule speaks."""
    heard: dict[str, int] = {}
    for draw in range(draws):
        for kind, one in found(make(draw)).items():
            spoke = one if isinstance(one, bool) else one.state == "seen"
            heard[kind] = heard.get(kind, 0) + spoke
    return {kind: count / draws for kind, count in heard.items()}


def main(draws: int) -> None:
    """Print the table."""
    cases: dict[str, Make] = {
        f"sound, {n} images, skill {skill:g}, {seeds} seeds": sound(n, skill, seeds)
        for n, skill, seeds in ((72, 2, 1), (72, 3, 3), (240, 2, 3), (240, 3, 1), (1000, 2, 1), (1000, 3, 3))
    }
    cases["sound, 240 images in threes of copies"] = sound(80, 2, 3, copies=3)
    cases["guesses, 240 images"] = sound(240, 0, 1)
    for n in (72, 240, 1000):
        cases[f"5 % wrong labels, {n} images"] = lambda d, n=n: with_wrong_labels(sound(n, 4, 3)(d), 0.05, d)
        cases[f"a confused pair, {n} images"] = lambda d, n=n: with_a_pair(sound(n, 3.5, 3)(d), 0.8)
        cases[f"logits times 2, {n} images"] = lambda d, n=n: answers([n // 4] * 4, 2, 3, draw=d, sharpness=2)
    kinds = (*OF_ANSWERS, "guessing")
    print(f"{'':42}" + "".join(f"{kind:>14}" for kind in kinds))
    for name, make in cases.items():
        heard = rates(make, draws)
        print(f"{name:42}" + "".join(f"{heard[kind]:14.3f}" for kind in kinds))


if __name__ == "__main__":
    main(int(sys.argv[1]))
