"""Section 5: what is compared by which test, how a result reads, what to do then."""

from collections.abc import Iterator

from ctexp.core.wording import joined
from ctexp.planning.plan.document import Improvement
from ctexp.planning.plan.jobs import Job
from ctexp.planning.proposal.page.experiments import SAID
from ctexp.planning.proposal.page.markdown import code, listed, table
from ctexp.planning.proposal.page.night import Night

_STEPS = {
    "compare": "compares each change with the baseline, image by image",
    "errors": "shows where and why networks are wrong",
    "report": "draws one HTML page of the whole night, in `runs/reports/`",
}


def section(night: Night) -> Iterator[str]:
    """Its lines."""
    plan = night.plan
    yield from ("## 5. Post-experiment analysis plan", "")
    if plan.analysis:
        steps = joined([f"`{step}` {_STEPS[step]}" for step in plan.analysis])
        yield f"When the last job has ended the script goes on by itself: {steps}."
    yield (
        "Then it writes the morning page, `night.md`: for each hypothesis what was asked, what was seen, "
        "with its interval, and whether that decides it."
    )
    yield ""
    if night.judged:
        yield from _judged(night)
    else:
        yield from _measured(night)
    yield from _then(night)


def _judged(night: Night) -> Iterator[str]:
    plan = night.plan
    yield (
        f"What is asked of {listed(night.judged)}: is it better than `{plan.baseline}` (section 2)? The test "
        "is paired: both sides answer the same images, so that only what differs between them "
        "counts. Two kinds of chance are in the account: which images were drawn, and which seeds. The "
        "more is asked, the more each answer has to show (Holm's correction), so that one chance of a false "
        f"alarm, `alpha` of `conf/verdict.yaml`, covers all {len(night.judged)}."
    )
    yield ""
    yield from ("### How a result reads, and what to do", "")
    yield from table(
        ["Result", "It means", "Do this"],
        [
            (
                "met",
                "the change is better than the baseline; chance is an unlikely explanation",
                "look at its errors, then make it the baseline (below)",
            ),
            (
                "not met",
                f"it is worse, or no better by {night.proposal.worthwhile:g}: a gain worth having is "
                "ruled out",
                "leave it out; the next plan will not propose it again without a reason",
            ),
            (
                "undecided",
                "the interval holds both: nothing is known yet, and nothing was shown to be equal",
                "do not choose by it; the page says how many seeds or images would decide",
            ),
            (
                "not tested",
                "its jobs were skipped, failed, or found no time",
                "read why; start the script again, or plan it anew",
            ),
        ],
    )


def _measured(night: Night) -> Iterator[str]:
    names = [name for name in night.plan.experiments if night.reason(name).stage != "smoke"]
    yield from ("### What is asked", "")
    yield (
        f"No hypothesis is tested tonight, and nothing will be claimed: {listed(names)} only "
        f"measure{'s' if len(names) == 1 else ''}. Read "
        "from them how far seeds of the same training lie apart. A later difference has to be larger "
        "than that to mean anything."
    )
    yield ""
    yield from table(
        ["Seen", "It means", "Do this"],
        [
            ("seeds agree", "small differences can be shown from here on", "plan the first changes"),
            ("seeds differ widely", "only large differences can be shown", "steadier training comes first"),
            (
                "all at chance",
                "nothing was learned: there is nothing to compare",
                "look at images and labels",
            ),
        ],
    )


def _then(night: Night) -> Iterator[str]:
    plan = night.plan
    yield from ("### In the morning", "")
    yield from code(list(_commands(night)))
    yield (
        "The last command proposes the next plan; it reads this night's runs by itself, says what followed "
        "from them, and what it believes now of each change."
    )
    yield ""
    if plan.target:
        yield (
            f"What all this is for: `{plan.target.metric}` {SAID[plan.target.op]} {plan.target.value:g}. The "
            "morning page says how near the night came."
        )
        yield ""
    yield (
        "Whatever comes out was chosen on validation images, which flatters it a little. What it is worth on "
        "images that nobody chose by is told by the sealed test split, once, at the very end of the project."
    )


def _commands(night: Night) -> Iterator[str]:
    plan = night.plan
    yield f"cat runs/queues/{plan.name}_*/night.md"
    first: dict[str, Job] = {}
    for job in night.jobs:
        first.setdefault(job.experiment, job)
    improved = [
        first[name].run_name
        for name in night.judged
        if isinstance(night.experiment(name).success, Improvement)
    ]
    if plan.baseline and improved:
        baseline = first[plan.baseline].run_name if plan.baseline in first else plan.baseline
        yield f"scripts/inv analyze-errors --run {improved[-1]}"
        yield f"scripts/inv compare-baselines --baseline {baseline} --candidate {improved[-1]} --promote"
    yield "scripts/inv plan"
