"""What later work is compared with: what was asked for, what was promoted, else what is best so far.

Of many recipes the one with the highest mean owes some of that to luck, the more so the fewer seeds it has.
So each mean is first drawn towards the mean of all, by the share of its own error in what is seen of it:

    shrunken = mu + tau^2 / (tau^2 + s^2 / n) (m - mu)

with m the mean of n seeds, s the spread over seeds pooled over recipes, tau^2 the variance between recipes by
moments (DerSimonian and Laird 1986) and mu the mean weighted by 1 / (tau^2 + s^2 / n). This is the empirical
Bayes form of the James-Stein estimator (Efron and Morris 1973). The images add to no mean more than to
another, since all are judged on the same ones. Where tau^2 is 0, nothing tells the recipes apart; they are
then in the order that they have as tau^2 falls to 0, by their lead times their seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ctexp.core.metric_names import higher_is_better
from ctexp.core.wording import many
from ctexp.evaluation.comparison import holm
from ctexp.planning.study.recipes import Recipe
from ctexp.planning.study.study import Study


@dataclass(frozen=True)
class Shrunk:
    """A recipe's mean, drawn towards the mean of all.

    Attributes:
        recipe: which.
        mean: over its seeds.
        shrunken: the same, by how far it can be trusted.
    """

    recipe: Recipe
    mean: float
    shrunken: float


def shrunk(study: Study, metric: str) -> list[Shrunk]:
    """The recipes that have a metric, the best first."""
    known = [(one, mean) for one in study.recipes if (mean := study.mean(one, metric)) is not None]
    noise = study.noise(metric)
    means = [mean for _, mean in known]
    sd = noise.sd if noise else 0.0
    drawn = shrunken(means, [sd**2 / len(one.seeds) for one, _ in known])
    sign = 1 if higher_is_better(metric) else -1
    found = [Shrunk(one, mean, its) for (one, mean), its in zip(known, drawn, strict=True)]

    def order(one: Shrunk) -> tuple[float, float]:
        return -sign * one.shrunken, -sign * (one.mean - one.shrunken) * len(one.recipe.seeds)

    return sorted(found, key=order)


def shrunken(means: Sequence[float], variances: Sequence[float]) -> list[float]:
    """Means, each drawn towards the mean of all by its own error.

    Args:
        means: one a recipe.
        variances: of each mean, by its seeds; zeros where nobody knows, and nothing is drawn anywhere then.
    """
    if len(means) < 2 or not all(variances):
        return list(means)
    weights = [1 / variance for variance in variances]
    total = sum(weights)
    centre = sum(w * m for w, m in zip(weights, means, strict=True)) / total
    spread = sum(w * (m - centre) ** 2 for w, m in zip(weights, means, strict=True))
    between = (spread - (len(means) - 1)) / (total - sum(w**2 for w in weights) / total)
    tau2 = max(0.0, between)
    weights = [1 / (tau2 + variance) for variance in variances]
    centre = sum(w * m for w, m in zip(weights, means, strict=True)) / sum(weights)
    return [centre + tau2 * w * (m - centre) for w, m in zip(weights, means, strict=True)]


def best(study: Study) -> tuple[Recipe | None, str]:
    """The best recipe so far, and why it is that one."""
    ranked = shrunk(study, study.primary)
    if not ranked:
        return (study.recipes[0], f"the newest; none has a {study.primary}") if study.recipes else (None, "")
    first = ranked[0]
    seeds = many(len(first.recipe.seeds), "seed")
    if len(ranked) == 1:
        return first.recipe, f"the only recipe, {study.primary} {first.mean:.3f} ({seeds})"
    if study.noise(study.primary) is None:
        said = f"highest {study.primary} of {len(ranked)} recipes, {first.mean:.3f}, each with one seed"
        return first.recipe, f"{said}: which is best is not established"
    if len({one.shrunken for one in ranked}) == 1:
        said = f"nothing tells the {len(ranked)} recipes apart in {study.primary} beyond their seeds"
        return first.recipe, f"{said}; this one has the most behind it, {first.mean:.3f} ({seeds})"
    return first.recipe, (
        f"best {study.primary} of {len(ranked)} recipes, {first.mean:.3f} ({seeds}), {first.shrunken:.3f} "
        "less what luck with so few seeds may have added"
    )


def established_over(study: Study, recipe: Recipe, rivals: Sequence[Recipe]) -> Recipe | None:
    """The rival that is established to be better by the primary metric, after Holm over all of them.

    Two single trainings establish nothing: see `diagnosis.established`.
    """
    found = [study.difference(recipe, one, study.primary) for one in rivals]
    sign = 1 if higher_is_better(study.primary) else -1
    corrected = holm([its.p for its in found])
    stand = [
        (sign * its.difference, -place)
        for place, (its, p) in enumerate(zip(found, corrected, strict=True))
        if p <= study.settings.alpha and its.seed_source != "assumed"
        if its.difference is not None and sign * its.difference > 0
    ]
    return rivals[-max(stand)[1]] if stand else None
