"""Which differences between recipes stand, when everything that was looked at is in the account."""

from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.comparison import holm
from ctexp.planning.diagnosis.evidence import Evidence
from ctexp.planning.diagnosis.figures import difference, metric_name, p_value


def established(seen: Evidence) -> tuple[str, ...]:
    """A sentence for each recipe that differs from the incumbent after Holm's correction over all of them.

    A comparison of two single trainings counts in the correction and establishes nothing: what seeds do to
    it is assumed there, and not measured.
    """
    said = []
    corrected = holm([one.p for one in seen.differences])
    for one, p in zip(seen.differences, corrected, strict=True):
        if one.measured is None or p > seen.settings.alpha:
            continue
        better = (one.measured[0] > 0) == higher_is_better(one.metric)
        said.append(
            f"{one.after} is {'better' if better else 'worse'} than {one.before}: {metric_name(one.metric)}"
            f" {difference(*one.measured)}, {p_value(p)} after Holm over {len(corrected)}"
        )
    return tuple(said)
