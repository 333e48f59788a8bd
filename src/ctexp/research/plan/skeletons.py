"""What an experiment begins with: a page that asks the right questions, a handler that is not yet written."""

from ctexp.research.places import module_name
from ctexp.research.plan.content import Experiment, SubExperiment

_PAGE = """\
# {title}

The {kind} `{name}` of the [plan](../research_plan.yaml), which alone says what is asked and when it is met.

## Why

{why}

## How

What is trained, on which images, with how many seeds; what it is compared with, and what is held equal.

{parts}

## Criteria

Why these thresholds, before any number is known: what difference would change a decision, and what could be
told at all with this many images and seeds.

{criteria}

## What would refute it

The result that would change your mind, and the control in which the method has to find nothing.
"""

_HANDLER = '''\
"""{title}: {about}.

Why, and what would refute it: research/experiments/{name}.md. What a runner can do: docs/handlers.md.
"""

from typing import Any

from ctexp.research.runner import ExperimentRunner

STUB = {{"finding": "what it would say", "metrics": {metrics}}}


def {function}(runner: ExperimentRunner) -> dict[str, Any]:
    """Find the answer, for example by a paired comparison over seeds.

        same = ["data=phantom", "model=tiny_cnn", "trainer.max_epochs=10"]
        baseline = runner.train(same, name="baseline", seeds=(1, 2, 3))
        candidate = runner.train([*same, "optimizer.lr=0.003"], name="candidate", seeds=(1, 2, 3))
        gain = runner.compare(baseline, candidate).difference("macro_f1")
        return {{"finding": f"It changes macro F1 by {{gain:+.3f}}.", "metrics": {{"gain": gain}}}}
    """
    raise NotImplementedError("a skeleton: write how this part finds its answer")
'''


def page(experiment: Experiment) -> str:
    """The page of an experiment: why, how, criteria, what would refute it."""
    parts = [
        f"- `{one.id}`: {_about(one)} (`research/handlers/"
        f"{module_name(experiment.id)}/{module_name(one.id)}.py`)"
        for one in experiment.subs
    ]
    criteria = [f"- `{metric}`:" for metric in experiment.criteria]
    none = "- none yet: a question without criteria counts as soon as it is completed, a claim never"
    return _PAGE.format(
        title=experiment.name,
        kind=experiment.kind,
        name=experiment.id,
        why=experiment.description
        or "What is believed, on what grounds, and what will be done with the answer.",
        parts="\n".join(parts),
        criteria="\n".join(criteria) or none,
    )


def handler(experiment: Experiment, sub: SubExperiment) -> str:
    """A handler that fails until somebody has written it; a stub run goes through it already."""
    function = module_name(sub.id)
    return _HANDLER.format(
        title=_quoted(experiment.name),
        about=_quoted(_about(sub)),
        name=experiment.id,
        metrics=repr(dict.fromkeys(experiment.criteria or ["gain"], 0.0)).replace("'", '"'),
        function=function if function.startswith("e_") else f"e_{function}",
    )


def _about(sub: SubExperiment) -> str:
    return " ".join((sub.description or sub.name).split()).rstrip(".")


def _quoted(text: str) -> str:
    """Words that may stand in a docstring."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())
