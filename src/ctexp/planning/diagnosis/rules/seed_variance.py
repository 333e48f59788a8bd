"""Do seeds alone move the metric as far as everything that was ever tried?"""

from ctexp.core.wording import many
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import metric_name, number, plain
from ctexp.planning.diagnosis.findings import Confidence, Finding
from ctexp.planning.diagnosis.unseen import unknown

_FEWEST_DF, _SURE_DF = 2, 6


def seed_variance(seen: Evidence) -> Finding:
    """Differences large enough to be claimed, all of them smaller than what seeds alone do.

    What seeds do to a difference of two means: t(0.975) times the pooled deviation times the root of one over
    the seeds of each side. Where no difference reaches `worthwhile` there is nothing to claim, and the seeds
    drown nothing.
    """
    noise, name = seen.noise, metric_name(seen.primary)
    known = [one for one in seen.differences if one.difference is not None]
    if noise is None or noise.df < _FEWEST_DF or not known:
        lacking = "no two recipes were compared" if not known else "how far seeds spread is not known"
        return unknown("seed_variance", seen, lacking)
    from scipy.special import stdtrit

    quantile, seeds = float(stdtrit(noise.df, 0.975)), {one.title: len(one.seeds) for one in seen.recipes}
    own = 1 / len(seen.incumbent.seeds)
    reach = {one.after: quantile * noise.sd * (own + 1 / seeds[one.after]) ** 0.5 for one in known}
    beyond = [one for one in known if abs(one.difference or 0) > reach[one.after]]
    largest = max(known, key=lambda one: abs(one.difference or 0) / max(reach[one.after], 1e-12))
    size = abs(largest.difference or 0)
    said = (
        f"of {many(len(known), 'difference')} in {name} the one that stands out most from seeds is"
        f" {size:.3f} ({largest.after}); seeds alone, which spread it by"
        f" {number(noise.sd, noise.low, noise.high)}, make up to {reach[largest.after]:.3f} there"
    )
    evidence = {
        "differences": {one.after: plain(one.difference or 0) for one in known},
        "seeds_alone": {title: plain(value) for title, value in reach.items()},
        "df": noise.df,
    }
    cites = tuple(dict.fromkeys(run for one in known for run in one.cites))
    drowned = not beyond and any(abs(one.difference or 0) >= seen.settings.worthwhile for one in known)
    sure: Confidence = "moderate" if noise.df >= _SURE_DF and len(known) > 1 else "low"
    return Finding(
        "seed_variance",
        "seen" if drowned else "not seen",
        said,
        confidence=sure,
        why_so_sure=f"{many(noise.df, 'degree')} of freedom, {many(len(known), 'recipe')} to compare with",
        evidence=evidence,
        cites=cites,
        refuted_by="a recipe that differs by more, with as many seeds"
        if drowned
        else "more seeds, by which the differences vanish",
    )
