"""Is it known how far two trainings of one recipe differ by their seed alone?"""

from ctexp.core.wording import many
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import interval, metric_name, number
from ctexp.planning.diagnosis.findings import Confidence, Finding

_FEWEST = 2
"""Degrees of freedom, those of three seeds of one recipe. With one the 95 % interval of a standard deviation
reaches to 32 times its value, with two to 6 times, with eight to 1.9 times."""

_MODERATE, _HIGH = 4, 8


def noise_floor_unknown(seen: Evidence) -> Finding:
    """Whether seeds were repeated often enough to tell a difference from chance."""
    noise, name = seen.noise, metric_name(seen.primary)
    seeds = max(len(recipe.seeds) for recipe in seen.recipes)
    if noise is None:
        return Finding(
            "noise_floor_unknown",
            "seen",
            f"no recipe was trained with more than one seed: how far chance alone moves {name} is not known",
            confidence="moderate",
            why_so_sure="it is a matter of counting; whether the noise is large is what nobody knows",
            evidence={"most_seeds": seeds},
            cites=seen.cites,
            refuted_by="three seeds of one recipe",
        )
    said = f"seeds spread {name} by {number(noise.sd, noise.low, noise.high)}"
    said += f", taken over {many(noise.recipes, 'recipe')} together" if noise.recipes > 1 else ""
    basis = f"{many(noise.df, 'degree')} of freedom from {many(noise.recipes, 'recipe')}"
    evidence = {"sd": interval(noise.sd, noise.low, noise.high), "df": noise.df, "most_seeds": seeds}
    if noise.df < _FEWEST:
        return Finding(
            "noise_floor_unknown",
            "seen",
            f"two trainings of one recipe are all there is: {said}, which is hardly an answer",
            confidence="low",
            why_so_sure=basis,
            evidence=evidence,
            cites=seen.cites,
            refuted_by="a third seed",
        )
    confidence: Confidence = "high" if noise.df >= _HIGH else "moderate" if noise.df >= _MODERATE else "low"
    own = len(seen.incumbent.seeds)
    if own == 1:
        confidence, basis = "low", f"{basis}, of other recipes than {seen.incumbent.title}"
    return Finding(
        "noise_floor_unknown",
        "not seen",
        said,
        confidence=confidence,
        why_so_sure=basis,
        evidence=evidence,
        cites=seen.cites,
        refuted_by="a recipe whose seeds spread beyond this interval",
    )
