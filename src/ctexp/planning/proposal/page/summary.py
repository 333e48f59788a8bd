"""Section 1: what the night is for, what is known and what is not, what is tried and why in this order."""

from collections.abc import Iterator, Mapping

from ctexp.core.wording import many
from ctexp.planning.diagnosis.diagnose import NAMES
from ctexp.planning.diagnosis.findings import Diagnosis, Finding, Kind
from ctexp.planning.proposal.documents import Proposal, Stage
from ctexp.planning.proposal.page.markdown import bullets, listed, sentence
from ctexp.planning.proposal.page.night import Night

TROUBLE: Mapping[Kind, str] = {
    "leakage": "Copies of training images among those that judge",
    "noise_floor_unknown": "Nobody knows how far chance alone moves a figure",
    "instability": "Training goes off course",
    "label_noise": "Images with a wrong label",
    "cut_short": "Training ended while the network still learned",
    "underfitting": "The network learns too little",
    "overfitting": "The network learns its training images by heart",
    "imbalance": "A rare class is neglected",
    "confused_pair": "Two classes are taken for each other",
    "calibration": "The network is surer, or less sure, than it is right",
    "capacity": "The network is too small",
    "resolution": "The images are shown too small",
    "seed_variance": "Chance moves figures further than anything that was tried",
}
"""Each possible trouble, in words for somebody who has not heard of it."""

_STAGES: Mapping[Stage, tuple[str, str]] = {
    "smoke": ("Smoke job", "what is broken shows in a minute, before hours are spent"),
    "baseline": ("Baseline", "what every change is compared with, and a measure of chance"),
    "coarse": ("One change at a time", "where two things change at once nobody knows which one it was"),
    "confirmation": (
        "The best once more, with fresh seeds",
        "the best of several looks better than it is, because luck helped to choose it",
    ),
}
"""Each stage, and why it stands where it stands."""

_METRICS = {
    "macro_f1": "the mean over the four classes of F1, which is high where what is called a class is of it, "
    "and few of the class are missed; 1 is perfect, about 0.25 guessing",
    "balanced_accuracy": "the mean over the four classes of the share that is found; 0.25 is guessing",
    "accuracy": "the share of images that is named rightly",
    "miss_rate": "the share of cancers that is called normal; lower is better",
    "ece": "how far the stated sureness lies from the share that is right; lower is better",
    "auroc": "the chance that of two images the one of a class looks more like it; 0.5 is guessing",
}

_WORDS = (
    ("run", "one training of one network, with a folder of its own in `runs/`"),
    ("recipe", "one configuration: every setting of a training but its seed"),
    (
        "split",
        "how images are divided: those to learn from (train), those to choose by (validation, val), and the "
        "sealed rest (test)",
    ),
    ("seed", "the number that chance begins with; two runs that differ in it alone show what chance does"),
    ("baseline", "what changes are compared with"),
    ("incumbent", "the recipe that changes are made to: the best so far, as far as anybody can tell"),
    ("interval", "where the truth lies with 95 % confidence, as far as images and seeds can tell"),
    (
        "sd",
        "standard deviation: how far figures of a kind lie about their mean, two thirds of them within it",
    ),
)


def section(night: Night) -> Iterator[str]:
    """Its lines."""
    proposal = night.proposal
    yield from ("## 1. Executive summary", "")
    yield from (f"**What this night is for.** {sentence(proposal.said)}", "")
    if proposal.plan.goal:
        yield from (f"**Goal.** {sentence(proposal.plan.goal)}", "")
    yield from (_size(night), "")
    if proposal.outlook:
        yield from (f"**What it can bring.** {' '.join(proposal.outlook)}", "")
    if proposal.follows:
        yield from ("### What the last night said, and what follows", "")
        yield from bullets([sentence(line) for line in proposal.follows])
    yield from _known(night)
    yield from _unknown(proposal)
    yield from _order(night)
    yield from ("### Words", "")
    yield from bullets([f"**{word}**: {meaning}" for word, meaning in _words(proposal)])


def _size(night: Night) -> str:
    plan, schedule = night.plan, night.proposal.schedule
    left = schedule.totals.jobs - schedule.totals.fitting
    room = f"; {many(left, 'job')} may find no room and are then left out" if left else ""
    return (
        f"**How much.** {many(len(plan.experiments), 'experiment')}, {many(len(night.jobs), 'training')}"
        f" (jobs), in a window of `{plan.window}`{room}. They take {night.device_time}; all is over"
        f" {night.finish} after the start (section 4)."
    )


def _known(night: Night) -> Iterator[str]:
    proposal, diagnosis = night.proposal, night.proposal.diagnosis
    yield from ("### What is known", "")
    lines = []
    if diagnosis.runs:
        lines.append(
            f"So far: {many(diagnosis.runs, 'training')} of {many(diagnosis.recipes, 'configuration')}"
            f" on {diagnosis.dataset}, split {diagnosis.split}."
        )
    if proposal.incumbent:
        lines.append(f"To be improved on: **{proposal.incumbent}**, {proposal.why_incumbent}.")
    lines.append(
        f"Answers are judged on {many(proposal.judged, 'validation image')}"
        f"{_witnesses(proposal)}; what is best is chosen by `{proposal.metric}`. The test images stay sealed."
    )
    if proposal.data and proposal.data.shortcut:
        lines.append(sentence(proposal.data.shortcut))
    lines += [f"Established: {one}." for one in diagnosis.established]
    if diagnosis.runs and not diagnosis.established:
        lines.append("**Nothing is established yet**: no difference between two configurations stands.")
    yield from bullets(lines)
    yield from _findings(diagnosis, night.grounds)


def _witnesses(proposal: Proposal) -> str:
    if proposal.groups == proposal.judged:
        return ""
    return f", {proposal.groups} of them independent (the others are copies)"


def _findings(diagnosis: Diagnosis, grounds: tuple[str, ...]) -> Iterator[str]:
    """What was seen, the bottleneck first; the runs that most of it rests on are named once."""
    if not diagnosis.seen:
        return
    yield "Troubles that were seen, the one to be dealt with first on top:"
    yield ""
    for one in sorted(diagnosis.seen, key=lambda one: one.kind != diagnosis.bottleneck):
        refuted = f" It would be refuted by {one.refuted_by.rstrip('.')}." if one.refuted_by else ""
        rests = f" Rests on {listed(one.cites)}." if one.cites and one.cites != grounds else ""
        yield f"- **{TROUBLE[one.kind]}** ({_sure(one)}). {sentence(one.said)}{refuted}{rests}"
    yield ""
    if grounds:
        yield f"Where nothing else is named, all this rests on {listed(grounds)}."
        yield ""


def _sure(one: Finding) -> str:
    return (
        f"{one.confidence} confidence: {one.why_so_sure}"
        if one.why_so_sure
        else f"{one.confidence} confidence"
    )


def _unknown(proposal: Proposal) -> Iterator[str]:
    lines = [
        f"**{TROUBLE[one.kind]}?** {sentence(one.said)}"
        for one in proposal.diagnosis.findings
        if one.state == "unknown"
    ]
    lines += [sentence(line) for line in proposal.assumptions]
    if lines:
        yield from ("### What is not known, and what is taken for granted", "")
        yield from bullets(lines)


def _order(night: Night) -> Iterator[str]:
    yield from ("### What will be tried, in which order", "")
    number = 0
    for stage, (title, why) in _STAGES.items():
        if names := night.at(stage):
            number += 1
            yield f"{number}. **{title}**: {listed(names)}. Why here: {why}."
    yield ""
    ranked = [name for name in night.plan.experiments if night.reason(name).expected_gain is not None]
    if ranked:
        first = night.proposal.first
        urgent = f"first what is made for {NAMES[first]}, which was seen, then " if first else ""
        yield (
            f"Changes were chosen in this order: {urgent}by the gain in `{night.proposal.metric}` that is "
            "expected of a minute of training. That is what is believed of each, from published work (the "
            "catalogue), a guess of how much more it brings where its trouble is bad, and what was seen, "
            "times the chance that the comparison will notice it. Where time runs short the least worth is "
            "left out."
        )
        yield ""


def _words(proposal: Proposal) -> Iterator[tuple[str, str]]:
    yield from _WORDS
    name = proposal.metric.partition("/")[2]
    if meaning := _METRICS.get(name):
        yield f"`{proposal.metric}`", f"{meaning}, on validation images"
