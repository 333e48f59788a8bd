"""What kind of night is needed: what makes figures untrue is seen to before what makes them low."""

from ctexp.planning.diagnosis.findings import Diagnosis
from ctexp.planning.proposal.documents import Night
from ctexp.planning.proposal.seeds import MOST
from ctexp.planning.study.study import Study

_ABOUT_NOISE = ("noise_floor_unknown", "seed_variance")


def kind_of(study: Study, diagnosis: Diagnosis) -> tuple[Night, str]:
    """What the night is for, and why, in a sentence or two without the last full stop.

    A baseline of a single seed is no reason to change nothing: its noise floor comes first in every plan.
    Seeds alone are proposed where there is nothing else to hold on to, and until there are enough of them.
    """
    if study.incumbent is None:
        lost = sum(len(one.lost) for one in study.failed)
        said = (
            f"No training on these images came to an end ({lost} lost): the recommended recipe comes first"
            if lost
            else "Nothing has been trained on these images"
        )
        return "first", (
            f"{said}. The first night finds out whether the machinery works "
            "and how far chance alone carries a figure, and then compares a few networks"
        )
    leak = diagnosis.of("leakage")
    if leak.state == "seen":
        void = "Those figures are void, and so is whatever was compared by them"
        unconfirmed = "What validation chooses could not be confirmed on them"
        meaning = void if "val" in leak.about else unconfirmed
        return "clean split", (
            f"{_sentence(leak.said)}. {meaning}: the night begins anew on images that training does not hold"
        )
    few = len(study.incumbent.seeds) < MOST
    if diagnosis.guessing and few:
        return "noise floor", (
            "The answers so far may be guesses, so nothing that was seen can be told from chance. More seeds "
            "of what there is come before any change; nothing is claimed"
        )
    noise, drowned = diagnosis.of("noise_floor_unknown"), diagnosis.of("seed_variance")
    if "seed_variance" in (diagnosis.bottleneck, diagnosis.suspected) and few:
        return "noise floor", (
            f"{_sentence(drowned.said)}. More seeds come before any change; nothing is claimed"
        )
    others = [one for one in diagnosis.seen if one.kind not in _ABOUT_NOISE]
    if noise.state == "seen" and not others and len(study.recipes) > 1:
        return "noise floor", (
            f"{_sentence(noise.said)}. More seeds come before any change; nothing is claimed"
        )
    if noise.state == "seen":
        main = diagnosis.bottleneck
        trouble = f"{_sentence(diagnosis.of(main).said)}. " if main and main != noise.kind else ""
        return "ordinary", (
            f"{trouble}{_sentence(noise.said)}. So the baseline's seeds come first, and single changes are "
            "compared with them in the same night"
        )
    return "ordinary", f"{diagnosis.said.rstrip('.')}. Single changes to the incumbent are compared with it"


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:]
