"""A project with runs, a plan, and records whose every figure can be worked out again."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.core import files
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import Subject
from ctexp.research import deriving
from ctexp.research.figures import Figure
from ctexp.research.places import Places
from ctexp.research.plan.content import ResearchPlan
from ctexp.research.plan.load import load
from ctexp.research.record import Answer, Artifact
from ctexp.research.runner.citing import cite
from ctexp.research.runner.comparing import paired
from tests import judged, project
from tests.research.answers import answer, plan

PLAN = """\
project: {name: chest CT, hypothesis: a network that sees more errs less}
experiments:
  noise:
    name: How far equal recipes spread
    type: question
    description: Trainings that differ by their seed alone.
    sub_experiments: [{id: spread, name: Two seeds}, {id: gain, name: Against a weaker one}]
    success_criteria:
      mean_mcc: {target: 0.2, failure: 0.1, direction: higher, note: the mean over seeds}
      gain: {target: 0.05, acceptable: 0.0, failure: -0.1, direction: higher}
  later: {type: claim, sub_experiments: [one], success_criteria: {mcc: 0.5}, dependencies: [noise]}
gates:
  night: {name: Worth a night, experiments: [noise], unlocks: [later]}
"""


def make(root: Path) -> None:
    """A project whose experiment `noise` is answered by two seeds of two recipes; `later` is not."""
    (root / "conf").mkdir(parents=True)
    for name in ("config.yaml", "verdict.yaml"):
        (root / "conf" / name).write_bytes((project.HERE / "conf" / name).read_bytes())
    (root / "tasks.py").write_text("")
    plan(root, PLAN)
    runs = {
        name: [judged.a_run(root / "runs", name, seed, skill=skill) for seed in (1, 2)]
        for name, skill in (("net", 2.0), ("weak", 1.0))
    }
    spread(root, runs["net"])
    gain(root, runs["weak"], runs["net"])


def spread(root: Path, runs: Sequence[RunDir]) -> Answer:
    """Answer the first part, with an artifact."""
    figures = [cite(run, "val/mcc") for run in runs]
    middle = deriving.derived("mean", figures)
    saved = Places(root).artifacts("noise", "spread") / "seeds.json"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text("[1, 2]\n")
    file = saved.relative_to(root).as_posix()
    return answer(
        root,
        "noise",
        "spread",
        {
            "mean_mcc": middle,
            "sd_mcc": deriving.derived("sd", figures),
            "seeds": deriving.count(len(figures)),
        },
        function="e_spread",
        finding=f"Two seeds reach an MCC of {middle:.2f}; the lower one {min(figures, key=float):.2f}.",
        cited=tuple(figures),
        runs=tuple(run.id for run in runs),
        artifacts=(Artifact(name="seeds.json", file=file, sha256=files.sha256_file(saved), bytes=7),),
    )


def gain(root: Path, baseline: Sequence[RunDir], candidate: Sequence[RunDir]) -> Answer:
    """Answer the second part."""
    before, after = (Subject(" ", " ", "name", tuple(runs)) for runs in (baseline, candidate))
    compared = paired(root, before, after, ["mcc", "accuracy"], made=_as_it_is)
    difference = compared.difference("mcc")
    return answer(
        root,
        "noise",
        "gain",
        {"gain": difference},
        function="e_gain",
        finding=f"The better one is {difference:+.2f} apart.",
        runs=tuple(run.id for run in (*baseline, *candidate)),
    )


def its_plan(root: Path) -> ResearchPlan:
    """The plan as it stands."""
    return load(Places(root).plan, "research/research_plan.yaml")


def _as_it_is(figure: Figure) -> Figure:
    return figure
