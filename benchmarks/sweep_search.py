"""What pruning saves, and what learning from earlier trials brings, where the truth is known.

    .venv/bin/python -m benchmarks.sweep_search

Each project is a response surface over learning rate, weight decay, dropout, augmentation and batch size:
macro-F1 falls off quadratically from an optimum that is drawn anew for each seed, the best learning rate
moves with the batch size, far above it a training diverges, and one training differs from the next by the
noise of its seed. A trial's learning curve nears its final value exponentially, the more slowly the smaller
its learning rate, so that curves cross. Four agents work side by side.

Pruning: on a board, the same random trials with and without. Told are the epochs trained, as a share of the
full sweep's, and whether the best trial is the one that the full sweep finds best.

Search: trials that all train to the end, as many for each sampler. Told is the true value of the trial that
the sweep calls best, and its difference from that of random search on the same project, with the interval of
its mean over the projects (Student's t).
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import optuna
from scipy import stats

from ctexp.sweeps.board.dimensions import as_drawn
from ctexp.sweeps.board.drawing import Drawer
from ctexp.sweeps.file.spec import Early
from ctexp.sweeps.space import Choice, Parameter, Range, Space, Values
from ctexp.sweeps.trials import Row, Taken, Told
from tests.sweeps.board.boards import a_spec, make

SEEDS, AGENTS, EPOCHS = 20, 4, 27
"""Projects; agents side by side; of a whole training."""

UNSEEN = 200
"""The first project; on those from 0 on, the settings of TPE and of pruning were chosen."""

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
    "asha": Early("asha", min_epochs=5, factor=3),
    "hyperband": Early("hyperband", min_epochs=3, factor=3, brackets=2),
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


def pruned_sweep(project: Project, seed: int, early: Early) -> tuple[list[Row], int]:
    """Run one on a board, the agents taking turns at an epoch each; its trials, and the epochs trained."""
    with tempfile.TemporaryDirectory() as folder:
        spec = a_spec(SPACE, method="random", run_cap=PRUNED, early=early)
        # Hyperband deals trials out to brackets by the sweep's name.
        board = make(Path(folder), spec, seed=seed, id=f"project-{seed}").open()
        epochs, under_way = 0, dict[int, tuple[Taken, Iterator[tuple[int, float]]]]()
        while True:
            for agent in range(AGENTS):
                if agent not in under_way and isinstance(found := board.take(str(agent)), Taken):
                    curve = project.curve(found.number, found.values)
                    under_way[agent] = found, enumerate(curve, start=1)
            if not under_way:
                break
            for agent, (taken, curve_ahead) in list(under_way.items()):
                epoch, value = next(curve_ahead)
                epochs += 1
                if epoch == EPOCHS:
                    board.finish(taken, Told("finished", value))
                elif board.report(taken, epoch, value):
                    board.finish(taken, Told("pruned", None))
                else:
                    continue
                del under_way[agent]
        rows = board.rows()
        board.close()
        return rows, epochs


def searched(project: Project, seed: int, sampler: str) -> float:
    """The true value of what a sweep calls best; each draw knows of the trials that others are at work on."""
    drawer = Drawer(SPACE, sampler, "maximize", seed)  # type: ignore[arg-type]
    told, drawn, place = list[float](), list[Values](), 0
    for number in range(SEARCHED):
        ended = max(0, number - AGENTS + 1)
        past = [_trial(values, value) for values, value in zip(drawn[:ended], told, strict=False)]
        past += [_trial(values, None) for values in drawn[ended:]]
        values, place = drawer.draw(past, place, learned=True)
        drawn.append(values)
        told.append(project.curve(number, values)[-1])
    return project.truth(drawn[told.index(max(told))])


def _trial(values: Values, value: float | None) -> optuna.trial.FrozenTrial:
    """One that has ended, or that somebody is at work on."""
    drawn, distributions = as_drawn(SPACE, values)
    state = optuna.trial.TrialState.RUNNING if value is None else optuna.trial.TrialState.COMPLETE
    return optuna.trial.create_trial(state=state, value=value, params=drawn, distributions=distributions)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """A mean and the ends of its 95 % interval, by Student's t."""
    mean, error = float(np.mean(values)), float(stats.sem(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return mean, mean - half, mean + half


def pruning(seeds: int = SEEDS) -> dict[str, list[tuple[float, bool, float]]]:
    """For each way of pruning and each project: share of epochs, whether it finds the best, what it loses."""
    found: dict[str, list[tuple[float, bool, float]]] = {name: [] for name in PRUNERS}
    for seed in range(UNSEEN, UNSEEN + seeds):
        project = Project(seed)
        for name, early in PRUNERS.items():
            rows, epochs = pruned_sweep(project, seed, early)
            # Draws at random do not depend on what was told: a full sweep has the same trials.
            ends = {row.number: project.curve(row.number, row.values)[-1] for row in rows}
            kept = [row.number for row in rows if row.state == "finished"]
            full, pruned = max(ends, key=ends.__getitem__), max(kept, key=ends.__getitem__)
            lost = project.truth(rows[full].values) - project.truth(rows[pruned].values)
            found[name].append((epochs / (EPOCHS * len(rows)), pruned == full, lost))
    return found


def search(samplers: Sequence[str], seeds: int = SEEDS) -> dict[str, list[float]]:
    """For each sampler, the true value of what it calls best in each project."""
    projects = range(UNSEEN, UNSEEN + seeds)
    return {name: [searched(Project(seed), seed, name) for seed in projects] for name in samplers}


def main() -> None:
    """Print both."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
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
