"""The file of a narrower second sweep, which says where it comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ctexp.core import yaml_file
from ctexp.core.errors import CriterionNotMet
from ctexp.record.manifest import command_line
from ctexp.sweeps.reading.narrowing import Narrowed, best_few, narrowed
from ctexp.sweeps.reading.opened import Opened
from ctexp.sweeps.reading.standing import pooled_error
from ctexp.sweeps.space import Bell, Choice, Dimension
from ctexp.sweeps.trials import Row


@dataclass(frozen=True)
class Refined:
    """A narrower sweep.

    Attributes:
        text: of its file.
        parameters: what has become of each.
        best: the numbers of the trials it is drawn around, best first.
        cautions: what to know before believing it, one line each without a full stop.
    """

    text: str
    parameters: tuple[Narrowed, ...]
    best: tuple[int, ...]
    cautions: tuple[str, ...] = ()


def refined(opened: Opened, minded: Sequence[str] = ()) -> Refined:
    """Draw the space closer around the best trials; everything else of the file stays.

    Args:
        opened: the sweep.
        minded: what else the file has to say of it; see `cautions`.

    Raises:
        DataError: too few trials have finished.
        CriterionNotMet: no trial is worse than the best ones, or these are spread over the whole space.
    """
    best = best_few(opened)
    if len(best) == len(opened.ranked):
        alike = sum(row.value == best[-1].value for row in best)
        raise CriterionNotMet(
            f"{opened.sweep.id}: {alike} of its {len(best)} finished trials have the same value, "
            f"{best[-1].value:.4g}; nothing says where to look closer",
            "let more trials finish, train each for longer, or give each more seeds",
        )
    parameters = narrowed(opened, best)
    if not any(one.changed for one in parameters):
        raise CriterionNotMet(
            f"{opened.sweep.id}: its {len(best)} best trials are spread over all that was searched; "
            "nothing says where to look closer",
            "let more trials finish, or give each more seeds",
        )
    cautions = (*_once(opened), *minded)
    text = _text(opened, best, parameters, cautions)
    return Refined(text, parameters, tuple(row.number for row in best), cautions)


def _once(opened: Opened) -> tuple[str, ...]:
    if pooled_error(opened.ranked) is not None:
        return ()
    return ("every trial was trained once: how much of their order is chance, and so of this, is not known",)


def _text(
    opened: Opened, best: Sequence[Row], parameters: Sequence[Narrowed], cautions: Sequence[str]
) -> str:
    document, _ = yaml_file.parse_mapping(opened.place.file.read_bytes(), str(opened.place.file))
    seed = (document.pop("parameters", None) or {}).get("seed")  # a seed of all trials, which is no parameter
    document.pop("name", None)  # it would name the old sweep's runs
    trials = f"the {len(best)} best of {len(opened.ranked)} finished trials"
    lines = [
        f"# Drawn closer around {trials} of {opened.sweep.id},",
        f"# a sweep of {opened.sweep.file}, by {opened.spec.metric}.",
        *(f"# Mind: {line}." for line in cautions),
        f"# Made by {command_line('sweep-refine', [opened.sweep.id])}",
        "",
        yaml_file.dump(document).rstrip() if document else "",
        "parameters:",
        *(line for one in parameters for line in _parameter(one)),
        *(_indented(yaml_file.dump({"seed": seed})) if seed is not None else ()),
    ]
    return "\n".join(line for line in lines) + "\n"


def _parameter(one: Narrowed) -> Iterator[str]:
    was = f"was {said(one.before.dimension)}; " if one.changed else ""
    yield f"  # {' '.join(f'{was}{one.why}'.split())}"
    if one.edge:
        yield f"  # the best trial has the {one.edge} there was: the optimum may lie beyond"
    yield from _indented(yaml_file.dump({one.before.key: written(one.after)}))


def _indented(text: str) -> Iterator[str]:
    for line in text.rstrip().splitlines():
        yield f"  {line}"


def said(its: Dimension) -> str:
    """A dimension in a few words: `0.0001 to 0.01`, `adamw, sgd`."""
    if isinstance(its, Choice):
        return ", ".join(str(value) for value in its.values)
    if isinstance(its, Bell):
        return f"{its.mean:g} ± {its.sd:g}{' as a logarithm' if its.log else ''}"
    return f"{its.low:g} to {its.high:g}"


def written(its: Dimension) -> dict[str, Any]:
    """A dimension in W&B's format."""
    if isinstance(its, Choice):
        if len(its.values) == 1:
            return {"value": its.values[0]}
        chances = {"probabilities": list(its.weights)} if its.weights else {}
        return {"values": list(its.values)} | chances
    step = {"q": its.step} if its.step else {}
    quantised = "q_" if its.step else ""
    if isinstance(its, Bell):
        shape = "log_normal" if its.log else "normal"
        return {"distribution": f"{quantised}{shape}", "mu": its.mean, "sigma": its.sd} | step
    bounds = {"min": its.low, "max": its.high}
    if its.integer and not its.log and not its.step:
        return bounds
    shape = "log_uniform_values" if its.log else "uniform"
    return {"distribution": f"{quantised}{shape}"} | bounds | step
