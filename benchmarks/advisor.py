"""How much faster a project gets better by the advisor's ranking of moves than by moves taken at random.

    .venv/bin/python -m benchmarks.advisor

A project is a response surface: the moves of the shipped catalogue, each with a true effect of its own, and
effects that go with pairs of them, which no prior speaks of. A night has room for so many trainings; each
move that is tried costs what the catalogue says, three seeds each. Its figures hold the noise of seeds, and
an error of the images that stays with a recipe however often it is trained, as long as the images are the
same. After each night the incumbent is chosen as a study chooses it, by means drawn towards the mean of all.

Four ways of choosing what a night tries, each on the same surface with the same luck:

    advisor   the ranking of `inv plan`: posterior, what has failed, expected gain a minute
    deaf      the same ranking by the priors alone, as though nothing had ever been seen
    random    any move that was not tried on the incumbent yet
    knowing   the best of the moves by their true effect, one a night: what regret is counted from

Regret is the true value that `knowing` has after each night less that of the choice, summed over the nights.
Priors are right where true effects are drawn from them, and wrong where each move has the prior of another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import hypot, sqrt
from pathlib import Path
from statistics import NormalDist, fmean

import numpy as np
from numpy.typing import NDArray

from ctexp.planning.moves import catalogue
from ctexp.planning.moves.history import Tried
from ctexp.planning.moves.instances import title
from ctexp.planning.moves.learning import failed, posterior
from ctexp.planning.moves.move import PRIMARY
from ctexp.planning.moves.value import Belief, Offer, ranked
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.incumbent import shrunken

ROOT = Path(__file__).parents[1]
SURFACES, NIGHTS, SEEDS, ROOM, MOST = 100, 5, 3, 24.0, 6
"""Simulated projects; nights of each; seeds of a recipe; trainings of the incumbent's length that a night has
room for; moves it tries at most."""

TOGETHER = 0.3
"""Standard deviation of what a pair of moves does only together, by the geometric mean of their priors'."""

WORTHWHILE, ALPHA = 0.02, 0.05


@dataclass(frozen=True)
class Noise:
    """Standard deviations of macro-F1: `seed` of one training, `images` of the difference of two recipes."""

    said: str
    seed: float
    images: float


@dataclass(frozen=True)
class Option:
    """A move, or a value of a sweep.

    Attributes:
        keys: that it touches; of two that share one, the project can have but one.
        prior: what the catalogue says.
        cost: in trainings of the incumbent's length.
    """

    name: str
    keys: frozenset[str]
    prior: Belief
    cost: float


Recipe = frozenset[str]
Floats = NDArray[np.float64]


@dataclass
class World:
    """What is true, and the luck of every training: the same whoever asks."""

    options: Mapping[str, Option]
    noise: Noise
    seed: int

    @cached_property
    def alone(self) -> dict[str, float]:
        """What each move does to the recipe that the project begins with."""
        rng = np.random.default_rng([self.seed, 1])
        return {one.name: rng.normal(one.prior.mean, one.prior.sd) for one in self.options.values()}

    @cached_property
    def together(self) -> dict[frozenset[str], float]:
        """What pairs of moves do besides."""
        rng = np.random.default_rng([self.seed, 2])
        every = list(self.options.values())
        return {
            frozenset((one.name, other.name)): rng.normal(0, TOGETHER * sqrt(one.prior.sd * other.prior.sd))
            for place, one in enumerate(every)
            for other in every[:place]
        }

    def value(self, recipe: Recipe) -> float:
        """What a recipe is worth on images that nobody has seen."""
        pairs = (frozenset((one, other)) for one in recipe for other in recipe if one < other)
        return sum(self.alone[one] for one in sorted(recipe)) + sum(
            self.together[pair] for pair in sorted(pairs, key=sorted)
        )

    def trained(self, recipe: Recipe, first: int) -> list[float]:
        """What `SEEDS` trainings show, the first of them with that seed."""
        luck = np.random.default_rng([self.seed, 3, *sorted(map(self._number, recipe))])
        images = luck.normal(0, self.noise.images / sqrt(2))
        seeds = luck.normal(0, self.noise.seed, first + SEEDS)[first:]
        return [self.value(recipe) + images + float(its) for its in seeds]

    def offered(self, recipe: Recipe) -> list[Option]:
        """The moves that can be made on a recipe."""
        taken = {key for name in recipe for key in self.options[name].keys}
        return [one for one in self.options.values() if taken.isdisjoint(one.keys)]

    def _number(self, name: str) -> int:
        return list(self.options).index(name)


@dataclass
class Project:
    """What has been trained, and what is made of it."""

    world: World
    beliefs: Mapping[str, Belief]
    incumbent: Recipe = frozenset()
    seen: dict[Recipe, list[float]] = field(default_factory=dict)

    def night(self, order: Sequence[str]) -> None:
        """Try moves in an order as long as there is room; then choose the incumbent anew."""
        self._train(self.incumbent, once=True)
        left, count = ROOM, 0
        for name in order:
            cost = SEEDS * self.world.options[name].cost
            if cost <= left and count < MOST:
                self._train(self.incumbent | {name})
                left, count = left - cost, count + 1
        recipes = list(self.seen)
        means = [fmean(self.seen[one]) for one in recipes]
        drawn = shrunken(means, [self.world.noise.seed**2 / len(self.seen[one]) for one in recipes])
        best = min(
            zip(drawn, means, recipes, strict=True),
            key=lambda one: (-one[0], -len(self.seen[one[2]]), -one[1]),
        )
        self.incumbent = best[2]

    def tried(self, name: str) -> list[Tried]:
        """Every pair of recipes that are one move apart."""
        pairs = ((before, before | {name}) for before in self.seen if name not in before)
        return [self._pair(name, *pair) for pair in pairs if pair[1] in self.seen]

    def open(self) -> list[str]:
        """Moves that can be made on the incumbent."""
        return [one.name for one in self.world.offered(self.incumbent)]

    def _train(self, recipe: Recipe, once: bool = False) -> None:
        known = self.seen.setdefault(recipe, [])
        if not (known and once):
            known += self.world.trained(recipe, len(known))

    def _pair(self, name: str, before: Recipe, after: Recipe) -> Tried:
        ours, theirs = self.seen[before], self.seen[after]
        se = hypot(self.world.noise.images, self.world.noise.seed * sqrt(1 / len(ours) + 1 / len(theirs)))
        its = Difference(
            metric=PRIMARY,
            before=_called(before),
            after=_called(after),
            difference=fmean(theirs) - fmean(ours),
            se=se,
            image_se=self.world.noise.images,
            seed_se=None,
            seed_source="measured",
            low=None,
            high=None,
            p=1.0,
            cites=(),
        )
        here = before == self.incumbent
        return Tried(name, None, its.before, its.after, ground={}, here=here, difference=its)


def _called(recipe: Recipe) -> str:
    return "+".join(sorted(recipe))


Choice = Callable[[Project, np.random.Generator], Sequence[str]]


def advised(project: Project, _: np.random.Generator) -> list[str]:
    """As `inv plan` ranks."""
    return _ranked(project, {name: project.tried(name) for name in project.open()})


def deaf(project: Project, _: np.random.Generator) -> list[str]:
    """By the priors alone; what was tried on the incumbent is not tried again before all else."""
    return _fresh_first(project, _ranked(project, {name: [] for name in project.open()}))


def at_random(project: Project, rng: np.random.Generator) -> list[str]:
    """Any, those first that were not tried on the incumbent."""
    return _fresh_first(project, [str(name) for name in rng.permutation(project.open())])


def _fresh_first(project: Project, order: Sequence[str]) -> list[str]:
    return sorted(order, key=lambda name: project.incumbent | {name} in project.seen)


def _ranked(project: Project, past: Mapping[str, Sequence[Tried]]) -> list[str]:
    noise = project.world.noise
    se = hypot(noise.images, noise.seed * sqrt(2 / SEEDS))
    critical = NormalDist().inv_cdf(1 - ALPHA / 2) * se
    offers = []
    for name, its in past.items():
        known = posterior(project.beliefs[name], its, WORTHWHILE)
        if not failed(known):
            offers.append(Offer(name, known.belief, se, critical, SEEDS * project.world.options[name].cost))
    return [one.title for one in ranked(offers)]


def options() -> dict[str, Option]:
    """The moves of the shipped catalogue that are made to gain something."""
    found = {}
    for name, move in catalogue.load(ROOT).moves.items():
        prior = move.prior(PRIMARY)
        if prior is None:
            continue
        for variant, way in move.ways.items():
            called = title(name, variant)
            found[called] = Option(called, frozenset(way.keys), prior, move.cost)
    return found


def course(choice: Choice, world: World, beliefs: Mapping[str, Belief]) -> list[float]:
    """The true value of the incumbent after each night."""
    project = Project(world, beliefs)
    rng = np.random.default_rng([world.seed, 4])
    values = []
    for _ in range(NIGHTS):
        project.night(choice(project, rng))
        values.append(world.value(project.incumbent))
    return values


def known_best(world: World) -> list[float]:
    """The same for the best move each night, by what is true."""
    recipe: Recipe = frozenset()
    values = []
    for _ in range(NIGHTS):
        recipe = max([recipe, *(recipe | {one.name} for one in world.offered(recipe))], key=world.value)
        values.append(world.value(recipe))
    return values


@dataclass(frozen=True)
class Result:
    """Of one case, by choice and surface: regret summed over nights, and the value after the last.

    Both of shape (surfaces,).
    """

    regret: Mapping[str, Floats]
    gained: Mapping[str, Floats]


CHOICES: dict[str, Choice] = {"advisor": advised, "deaf": deaf, "random": at_random}


def simulate(noise: Noise, right: bool, surfaces: int = SURFACES) -> Result:
    """Every choice on every surface.

    Args:
        noise: of what is measured.
        right: whether beliefs are those that effects are drawn from; else each is another move's.
        surfaces: how many.
    """
    every = options()
    regret: dict[str, list[float]] = {name: [] for name in CHOICES}
    gained: dict[str, list[float]] = {name: [] for name in (*CHOICES, "knowing")}
    for seed in range(surfaces):
        world = World(every, noise, seed)
        names = list(every)
        dealt = names if right else [str(one) for one in np.random.default_rng([seed, 5]).permutation(names)]
        beliefs = {name: every[other].prior for name, other in zip(names, dealt, strict=True)}
        best = known_best(world)
        gained["knowing"].append(best[-1])
        for name, choice in CHOICES.items():
            values = course(choice, world, beliefs)
            regret[name].append(sum(most - value for most, value in zip(best, values, strict=True)))
            gained[name].append(values[-1])
    return Result(_arrays(regret), _arrays(gained))


def _arrays(lists: Mapping[str, Sequence[float]]) -> dict[str, Floats]:
    return {name: np.array(values) for name, values in lists.items()}


def ratio(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """Mean of one over mean of the other, with its 95 % interval by resampling surfaces, in pairs."""
    drawn = np.random.default_rng(0).integers(0, len(ours), (10_000, len(ours)))
    low, high = np.quantile(ours[drawn].mean(axis=1) / theirs[drawn].mean(axis=1), [0.025, 0.975])
    return float(ours.mean() / theirs.mean()), float(low), float(high)


NOISES = (
    Noise("as measured on the phantom set (56 validation images)", seed=0.047, images=0.052),
    Noise("a quarter of it", seed=0.012, images=0.013),
)
"""Measured: `experiment=quickstart`, two seeds, and with `trainer.max_epochs=40`, four; over seeds 0.047 (4
degrees of freedom, 95 % 0.028 to 0.136), and the paired comparison of the two. A quarter is what sixteen
times as many images would leave of theirs."""


def main() -> None:
    """Print regret and what was gained, for each noise, with priors right and wrong."""
    print(
        f"{SURFACES} surfaces, {NIGHTS} nights of {ROOM:g} trainings, {SEEDS} seeds each; macro-F1; "
        "ratios with 95 % intervals over surfaces"
    )
    for noise in NOISES:
        print(f"\nnoise {noise.said}: seeds {noise.seed:g}, images {noise.images:g} (sd)")
        for right in (True, False):
            found = simulate(noise, right)
            said = "right" if right else "wrong, each that of another move"
            print(f"  priors {said}")
            for name in ("advisor", "deaf"):
                mean, low, high = ratio(found.regret[name], found.regret["random"])
                print(f"    regret of {name} over that of random: {mean:.2f} ({low:.2f} to {high:.2f})")
            gains = ", ".join(f"{name} {values.mean():+.3f}" for name, values in found.gained.items())
            print(f"    gained after {NIGHTS} nights: {gains}")


if __name__ == "__main__":
    main()
