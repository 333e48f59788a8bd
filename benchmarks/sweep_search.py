"""What pruning saves, and what learning from earlier trials brings, where the truth is known.

    .venv/bin/python -m benchmarks.sweep_search

Each project is a response surface over learning rate, weight decay, dropout, augmentation and batch size:
macro-F1 falls off quadratically from an optimum that is drawn anew for each seed, the best learning rate
moves with the batch size, far above it a training diverges, and one training differs from the next by the
noise of its seed. A trial's learning curve nears its final value exponentially, the more slowly the smaller
its learning rate, so that curves cross. All goes through the board, as agents use it, four of them side by
side, an epoch at a time.

Pruning: the same trials with and without. Told are the epochs trained, as a share of the full sweep's, and
whether the best trial is the one that the full sweep finds best.

Search: trials that all train to the end, as many for each sampler. Told is the true value of the trial that
the sweep calls best, and its difference from that of random search on the same project, with the interval of
its mean over the projects (Student's t).
"""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from ctexp.sweeps.file.spec import Early
from ctexp.sweeps.space import Choice, Parameter, Range, Space, Values
from ctexp.sweeps.trials import Taken, Told
from tests.sweeps.board.boards import a_spec, make

SEEDS, AGENTS, EPOCHS = 20, 4, 27
"""Projects; agents side by side; of a whole training."""

PRUNED, SEARCHED = 60, 40
"""Trials of a sweep that is pruned, and of one that is searched."""

BEST, WORST, NOISE, WOBBLE = 0.90, 0.25, 0.01, 0.003
"""Macro-F1 at the optimum and of a guess; standard deviations between seeds and between epochs."""

SPACE = Space(
    (
        Parameter("optimizer.lr", Range(1e-5, 1e-1, log=True)),
        Parameter("optimizer.weight_decay", Range(1e-6, 1e-1, log=True)),
        Parameter("model.dropout", Range(0.0, 0.6)),
        Parameter("augmentation.strength", Range(0.0, 1.0)),
        Parameter("data.batch_size", Choice((8, 16, 32, 64))),
    )
)

PRUNERS = {
    "asha": Early("asha", min_epochs=3, factor=3),
    "hyperband": Early("hyperband", min_epochs=2, factor=3, brackets=2),
}


class Project:
    """One response surface."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._seed = seed
        self._rate, self._decay = rng.uniform(-4.0, -2.0), rng.uniform(-5.0, -2.0)
        self._dropout, self._strength = rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.8)
        self._batch = int(rng.integers(4))

    def truth(self, values: Values) -> float:
        """Macro-F1 that trainings of these values have on average."""
        rate, decay, dropout, strength, batch = _numbers(values)
        above = math.log10(rate) - self._rate - 0.2 * (math.log2(batch / 8) - self._batch)
        if above > 1.2:
            return WORST
        loss = (
            0.08 * above**2
            + 0.01 * (math.log10(decay) - self._decay) ** 2
            + 0.4 * (dropout - self._dropout) ** 2
            + 0.3 * (strength - self._strength) ** 2
            + 0.01 * abs(math.log2(batch / 8) - self._batch)
        )
        return max(WORST, BEST - loss)

    def curve(self, number: int, values: Values) -> list[float]:
        """What a training of this trial tells after each epoch."""
        rng = np.random.default_rng([self._seed, number])
        final = self.truth(values) + rng.normal(0.0, NOISE)
        slowness = 2.0 + 1.2 * (-1.0 - math.log10(_numbers(values)[0]))
        shape = [1 - math.exp(-epoch / slowness) for epoch in range(1, EPOCHS + 1)]
        wobble = rng.normal(0.0, WOBBLE, EPOCHS)
        told = [WORST + (final - WORST) * one / shape[-1] for one in shape]
        return [*(one + by for one, by in zip(told[:-1], wobble[:-1], strict=True)), final]


@dataclass(frozen=True)
class Swept:
    """A sweep that has ended.

    Attributes:
        best: the number of its best trial.
        truth: the true value of that.
        epochs: trained by all trials together.
    """

    best: int
    truth: float
    epochs: int


def sweep(project: Project, seed: int, trials: int, sampler: str, early: Early | None) -> Swept:
    """Run one, on a board in a folder of its own."""
    method = "random" if sampler in ("random", "qmc") else "bayes"
    with tempfile.TemporaryDirectory() as folder:
        spec = a_spec(SPACE, method=method, sampler=sampler, run_cap=trials, early=early)
        board = make(Path(folder), spec, seed=seed).open()
        epochs, under_way = 0, dict[int, tuple[Taken, list[float]]]()
        while True:
            for agent in range(AGENTS):
                if agent not in under_way and isinstance(found := board.take(str(agent)), Taken):
                    under_way[agent] = found, project.curve(found.number, found.values)
            if not under_way:
                break
            for agent, (taken, curve) in list(under_way.items()):
                # Without pruning nobody reads the curves: only the end is told.
                done = EPOCHS if early is None else EPOCHS - len(curve) + 1
                epochs += EPOCHS if early is None else 1
                value = curve[-1] if early is None else curve.pop(0)
                if early is not None and done < EPOCHS and board.report(taken, done, value):
                    board.finish(taken, Told("pruned", None))
                elif done == EPOCHS:
                    board.finish(taken, Told("finished", value))
                else:
                    continue
                del under_way[agent]
        finished = [row for row in board.rows() if row.state == "finished" and row.value is not None]
        best = max(finished, key=lambda row: (row.value or 0.0, -row.number))
        board.close()
        return Swept(best.number, project.truth(best.values), epochs)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """A mean and the ends of its 95 % interval, by Student's t."""
    mean, error = float(np.mean(values)), float(stats.sem(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return mean, mean - half, mean + half


def pruning(seeds: int = SEEDS) -> dict[str, list[tuple[float, bool, float]]]:
    """For each way of pruning and each project: share of epochs, whether it finds the best, what it loses."""
    found: dict[str, list[tuple[float, bool, float]]] = {name: [] for name in PRUNERS}
    for seed in range(seeds):
        project = Project(seed)
        full = sweep(project, seed, PRUNED, "random", None)
        for name, early in PRUNERS.items():
            pruned = sweep(project, seed, PRUNED, "random", early)
            found[name].append(
                (pruned.epochs / full.epochs, pruned.best == full.best, full.truth - pruned.truth)
            )
    return found


def search(samplers: Sequence[str], seeds: int = SEEDS, trials: int = SEARCHED) -> dict[str, list[float]]:
    """For each sampler, the true value of what it calls best in each project."""
    return {
        sampler: [sweep(Project(seed), seed, trials, sampler, None).truth for seed in range(seeds)]
        for sampler in samplers
    }


def main() -> None:
    """Print both."""
    print(f"Pruning: {SEEDS} projects, {PRUNED} random trials of {EPOCHS} epochs each, {AGENTS} agents")
    for name, results in pruning().items():
        shares = [share for share, _, _ in results]
        mean, low, high = interval(shares)
        lost = max(loss for _, _, loss in results)
        print(
            f"  {name:10} {mean:.1%} of the epochs ({low:.1%} to {high:.1%}; at most {max(shares):.1%}); "
            f"the full sweep's best found in {sum(same for _, same, _ in results)} of {SEEDS}, "
            f"else {lost:.3f} of macro-F1 lost at most"
        )
    print(
        f"\nSearch: {SEEDS} projects, {SEARCHED} trials each, {AGENTS} agents; the best there is has {BEST}"
    )
    found = search(("random", "qmc", "tpe", "gp"))
    for sampler, values in found.items():
        mean, low, high = interval(values)
        line = f"  {sampler:8} {mean:.4f} ({low:.4f} to {high:.4f})"
        if sampler != "random":
            gain = [one - other for one, other in zip(values, found["random"], strict=True)]
            mean, low, high = interval(gain)
            wins = sum(one > 0 for one in gain)
            line += f"; against random {mean:+.4f} ({low:+.4f} to {high:+.4f}), better in {wins} of {SEEDS}"
        print(line)


def _numbers(values: Values) -> list[float]:
    """The values as numbers, in the order of the space."""
    return [float(str(values[parameter.key])) for parameter in SPACE.parameters]


if __name__ == "__main__":
    main()
