"""When trials that fall behind are ended: W&B's `early_terminate`, or our own `early`.

What W&B calls hyperband ends a trial at an epoch of `min_iter * eta^n` where it is not among the best 1/eta
of those that came as far: successive halving without waiting for the others (ASHA, Li et al. 2020). With
`max_iter` and `s` the same epochs are counted backwards: `max_iter / eta^s`.
"""

from typing import Literal, get_args

from ctexp.core.yaml_parts import Part
from ctexp.sweeps.file.spec import Early

Kind = Literal["asha", "hyperband"]


def early(file: Part, ctexp: Part) -> Early | None:
    """What a file says of it; None where all trials are trained to their end.

    Args:
        file: all of it.
        ctexp: our section of it.
    """
    if "early_terminate" in file and "early" in ctexp:
        ctexp.say("early", "early_terminate says it too; keep one")
        return None
    if "early" in ctexp:
        return _ours(ctexp.part("early"))
    if file.data.get("early_terminate") is None:
        return None
    return _theirs(file.part("early_terminate"))


def _ours(part: Part) -> Early:
    part.only("kind", "min_epochs", "max_epochs", "factor", "brackets")
    kind: Kind = part.one_of("kind", get_args(Kind), "asha")
    least = part.whole("min_epochs", least=1) or 1
    last = part.whole("max_epochs", least=1)
    brackets = part.whole("brackets", least=1, most=10)
    if last is not None and last <= least:
        part.say("max_epochs", f"{last} is not above min_epochs, {least}")
    if kind == "asha" and (brackets or 1) > 1:
        part.say("brackets", "successive halving with several brackets is kind: hyperband")
    return Early(
        kind,
        min_epochs=least,
        factor=part.whole("factor", least=2, most=100) or 3,
        max_epochs=last,
        brackets=brackets or (3 if kind == "hyperband" else 1),
    )


def _theirs(part: Part) -> Early:
    part.only("type", "min_iter", "max_iter", "s", "eta", "strict")
    if part.one_of("type", ("hyperband",), "hyperband") and "type" not in part:
        part.say("type", "missing; it is hyperband")
    least, last = part.whole("min_iter", least=1), part.whole("max_iter", least=1)
    steps, factor = part.whole("s", least=1, most=30), part.whole("eta", least=2, most=100) or 3
    if "strict" in part:
        part.mistakes.note_idle((*part.place, "strict"))
    if "min_iter" not in part and not ("max_iter" in part and "s" in part):
        part.mistakes.say(part.place, "min_iter is missing, or max_iter with s")
    if least is None and last is not None and steps is not None:
        least = max(1, last // factor**steps)
    if least is not None and last is not None and last <= least and "min_iter" in part:
        part.say("max_iter", f"{last} is not above min_iter, {least}")
    return Early("asha", least or 1, factor, last)
