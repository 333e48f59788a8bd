"""What a proposal is: a plan, why each part is there, what was left out, and what is taken for granted."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ctexp.planning.diagnosis.findings import Diagnosis, Kind
from ctexp.planning.moves.move import Category
from ctexp.planning.moves.value import Belief
from ctexp.planning.plan.document import Plan, Threshold
from ctexp.planning.schedule.schedule import Schedule
from ctexp.planning.study.data import DataFacts

Night = Literal["first", "clean split", "noise floor", "ordinary"]
"""What a night is for. `first`: nothing has been trained. `clean split`: figures so far are void, since
training held the images that judged it. `noise floor`: nobody knows what chance does, or chance explains all
that was seen. `ordinary`: single changes to the incumbent."""

Stage = Literal["smoke", "baseline", "coarse", "confirmation"]


@dataclass(frozen=True)
class Wishes:
    """What the user asked for.

    Attributes:
        name: of the plan.
        window: as `plan.window.parse` takes it.
        focus: the categories that moves may come from; empty for all.
        goal: in the user's words; empty for none.
        metric: `val/...`, which is to become better; None for the primary one.
        target: a value that is to be reached.
        start: the run, name or cross-validation to begin with; None for the study's own choice.
        overrides: what every job has in common, over what the incumbent has.
    """

    name: str
    window: str = "8h"
    focus: tuple[Category, ...] = ()
    goal: str = ""
    metric: str | None = None
    target: Threshold | None = None
    start: str | None = None
    overrides: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What is typed for it; defaults are left away."""
        words = [self.name, *self.overrides]
        words += ["--window", self.window] if self.window != "8h" else []
        words += [word for category in self.focus for word in ("--focus", category)]
        words += ["--goal", self.goal] if self.goal else []
        words += ["--from", self.start] if self.start else []
        return f"scripts/inv plan {shlex.join(words)}"


@dataclass(frozen=True)
class Reason:
    """Why an experiment is in the plan. Its hypothesis, seeds and criterion stand in the plan itself.

    Attributes:
        move: id in the catalogue; None for what no move makes: smoke, baseline, confirmation.
        variant: of the move, where it has several.
        changes: the words that it changes, beside what all have in common.
        why: one sentence, without a full stop.
        prior: the catalogue's, of its effect on `Proposal.metric`; positive is better.
        bonus: what is added to that, since what it is made for was seen: a guess.
        posterior: what is believed of it now.
        expected_gain: what its answer is expected to bring: the gain times the chance that it will be called
            one; None where nothing is to be gained.
        minutes: of the device, all its seeds, at the median.
        assumed: whether those are a stated guess, since nothing like it was trained or measured.
        cites: runs, or files, that this rests on.
        refuted_by: what result would show that it was wrong to propose it, a sentence without a full stop.
    """

    stage: Stage
    why: str
    refuted_by: str
    move: str | None = None
    variant: str | None = None
    changes: tuple[str, ...] = ()
    prior: Belief | None = None
    bonus: float = 0.0
    posterior: Belief | None = None
    expected_gain: float | None = None
    minutes: float = 0.0
    assumed: bool = False
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A move that was looked at and is not in the plan.

    Attributes:
        move: its id, with its variant: `lower_lr`, `augmentation/strong`.
        why: a few words.
    """

    move: str
    why: str


@dataclass(frozen=True)
class Proposal:
    """A plan with its reasons.

    Attributes:
        plan: as it will be read back from its file.
        text: the file.
        night: what kind of night it is; `said` why, a sentence or two.
        diagnosis: what it rests on.
        incumbent: title of the recipe that the baseline is; None where nothing has been trained.
        why_incumbent: a few words.
        data: what is known of the images; None where nothing is.
        images: what the baseline is judged on: `phantom, split clean`; `judged` validation images of it, in
            `groups` independent ones.
        metric: `val/...`, which is to become better.
        worthwhile: the smallest gain that matters, of `conf/verdict.yaml`.
        detectable: the smallest true gain that its seeds and images notice four times in five; None where
            nothing can be said, or nothing is asked.
        first: the trouble that what is made for it comes first; None where there is none.
        outlook: what the night can be expected to bring in all, and what would bring more; a sentence a line.
        reasons: by experiment, in the order of running, which is that of the plan.
        left_out: every other move of the catalogue that was looked at.
        assumptions: what is taken for granted and may turn out otherwise, one line each.
        follows: what the newest night said and what came of it here, one line each; empty without one.
        schedule: the plan in its window, as `plan-check` fits it.
        assumed_minutes: by experiment, of one of its jobs: a stated guess where the schedule knows none.
        warnings: of the check, one line each.
    """

    plan: Plan
    text: str
    night: Night
    said: str
    diagnosis: Diagnosis
    incumbent: str | None
    why_incumbent: str
    data: DataFacts | None
    images: str
    judged: int
    groups: int
    metric: str
    worthwhile: float
    detectable: float | None
    first: Kind | None
    outlook: tuple[str, ...]
    reasons: Mapping[str, Reason] = field(hash=False)
    left_out: tuple[LeftOut, ...]
    assumptions: tuple[str, ...]
    follows: tuple[str, ...]
    schedule: Schedule
    assumed_minutes: Mapping[str, float] = field(default_factory=dict, hash=False)
    warnings: tuple[str, ...] = ()
