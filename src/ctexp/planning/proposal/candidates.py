"""Which changes a night should try: those that apply, by the gain that is expected of a minute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ctexp.config.compose import Composer
from ctexp.core.classes import CLASSES
from ctexp.core.errors import CtexpError, UsageError
from ctexp.planning.checking.images import ImagesOf
from ctexp.planning.diagnosis.diagnose import NAMES
from ctexp.planning.diagnosis.findings import Finding, Kind
from ctexp.planning.moves.instances import Instance
from ctexp.planning.moves.learning import Posterior
from ctexp.planning.moves.survey import Considered
from ctexp.planning.moves.value import Belief, Offer
from ctexp.planning.plan.document import FailureKind
from ctexp.planning.plan.jobs import last_words
from ctexp.planning.proposal.documents import LeftOut
from ctexp.planning.proposal.ground import Ground
from ctexp.planning.proposal.lengths import Lengths
from ctexp.planning.proposal.seeds import FEW, Design

_LONGEST = 30
"""Characters of an experiment's id: with the plan's name and the kind of a failure it is part of a run's."""

_HARDLY = 0.4
"""A move that is less likely to be better than this is a control, not a candidate."""


@dataclass(frozen=True)
class Way:
    """One value of a sweep, an experiment of its own.

    Attributes:
        variant: of the move.
        posterior: of its effect on the metric; `expected_gain` of that.
        minutes: of one of its jobs.
        sha256: of its configuration.
    """

    name: str
    variant: str | None
    posterior: Belief
    expected_gain: float
    words: tuple[str, ...]
    minutes: float
    sha256: str


@dataclass(frozen=True)
class Candidate:
    """A move that could be made tonight.

    Attributes:
        name: of its experiment.
        instance: the move on the incumbent; of a sweep, that of the value most is expected of.
        ways: the values of a sweep; empty for a single change.
        why: what was seen that it is for.
        learned: what was seen of it here, to be put after what is believed.
        prior: the catalogue's, of its effect on the metric.
        bonus: what is added to it for what was seen: a guess.
        posterior: what is believed of it now.
        expected_gain: see `moves.value`.
        urgent: whether it is made for the finding that is to be seen to first.
        minutes: of one of its jobs; of a sweep, the longest.
        assumed: whether those are a guess.
        cites: runs it rests on.
        fallback: what is tried after a failure; only what would be another training.
        track: metrics to be told in the morning: the move's, and the sensitivity to classes it is made for.
    """

    name: str
    instance: Instance = field(hash=False)
    ways: tuple[Way, ...]
    why: str
    learned: str
    prior: Belief
    bonus: float
    posterior: Belief
    expected_gain: float
    urgent: bool
    minutes: float
    assumed: bool
    cites: tuple[str, ...]
    fallback: Mapping[FailureKind, list[str]] = field(hash=False)
    track: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """As the catalogue calls it: `lower_lr`; a sweep by its id alone."""
        return self.instance.id if self.ways else self.instance.title

    def whole(self, seeds: int) -> float:
        """Minutes of all it takes, every seed of every experiment."""
        looks = FEW * sum(way.minutes for way in self.ways)
        return seeds * self.minutes + looks


@dataclass(frozen=True)
class Choosing:
    """Makes candidates of moves.

    Attributes:
        ground: what changes are made to.
        design: seeds, and the error that a comparison will have.
        lengths: of trainings.
        composer: of the project.
        first: the finding that is to be seen to first; moves that are made for it come before all others,
            since what it spoils it spoils for them too.
        seen: all that was.
        reader: of images and features.
        where: all that was seen: `here`, or a few words for other images than the night's.
    """

    ground: Ground
    design: Design
    lengths: Lengths
    composer: Composer
    first: Kind | None
    seen: tuple[Finding, ...]
    reader: ImagesOf
    where: str = "here"

    def candidates(
        self, considered: Sequence[Considered], focus: Sequence[str]
    ) -> tuple[list[Candidate], list[LeftOut]]:
        """The moves that could be made tonight, the best first; and why each other one is not.

        Args:
            considered: every move, as `moves.survey` found it.
            focus: the categories that are wanted; empty for all.
        """
        left_out = [LeftOut(one.title, one.why_not) for one in considered if not one.applies]
        usable: dict[str, list[Considered]] = {}
        for one in considered:
            if not one.applies:
                continue
            if focus and one.move.category not in focus:
                why = f"of category {one.move.category}, which is not in focus"
            elif (better := _known(one)[1].p_better) < _HARDLY:
                why = unlikely(_known(one)[1], better)
            else:
                why = self._lacking(one)
            if why:
                left_out.append(LeftOut(one.title, why))
            else:
                usable.setdefault(one.id, []).append(one)
        made = [self._candidate(its) for its in usable.values()]
        return _distinct(sorted(made, key=self._rank), left_out), left_out

    def _rank(self, one: Candidate) -> tuple[bool, float, str]:
        per_minute = one.expected_gain / max(one.whole(self.design.seeds), 1 / 60)
        return not one.urgent, -per_minute, one.title

    def _lacking(self, one: Considered) -> str:
        """What is missing of the measured features that a move asks for; empty where nothing is.

        The problem itself names files by where this copy of the project lies, which is no part of a plan.
        """
        composed = _known(one)[0].composed
        try:
            self.reader.features(composed, self.ground.kind)
        except CtexpError as error:
            return "it needs features beside the images" + (f": {error.hint}" if error.hint else "")
        return ""

    def _candidate(self, its: Sequence[Considered]) -> Candidate:
        """A move in one way, or a sweep in all of its values that make something of the recipe."""
        offered = [(_offer(one.title, _known(one)[1].belief, self.design, 1.0), one) for one in its]
        best, chosen = max(offered, key=lambda pair: pair[0].expected_gain)
        instance, known = _known(chosen)
        lengths = [self.lengths.of(_known(one)[0].composed.resolved, one.move.cost) for one in its]
        minutes = [length.p50 / 60 for length in lengths]
        ways = tuple(
            Way(
                name=experiment_name(one.id, one.variant),
                variant=one.variant,
                posterior=offer.belief,
                expected_gain=offer.expected_gain,
                words=_known(one)[0].words,
                minutes=each,
                sha256=_known(one)[0].composed.sha256,
            )
            for (offer, one), each in zip(offered, minutes, strict=True)
        )
        sweep = len(ways) > 1
        return Candidate(
            name=experiment_name(chosen.id, None if sweep else chosen.variant),
            instance=instance,
            ways=ways if sweep else (),
            why=self._why(chosen),
            learned=_learned(chosen, known),
            prior=chosen.catalogue or known.prior,
            bonus=chosen.bonus,
            posterior=known.belief,
            expected_gain=best.expected_gain,
            urgent=self.first in chosen.move.when,
            minutes=max(minutes),
            assumed=any(length.assumed for length in lengths),
            cites=self._cites(its),
            fallback=self._fallback(instance),
            track=tuple(dict.fromkeys((*chosen.move.track, *map(_recall, self._classes(chosen))))),
        )

    def _for(self, one: Considered) -> list[Finding]:
        """What was seen that a move is for: what comes first, else all of it."""
        its = [finding for finding in self.seen if finding.kind in one.move.when]
        return [finding for finding in its if finding.kind == self.first] or its

    def _classes(self, one: Considered) -> list[str]:
        """The classes that what it is made for is about."""
        return list(dict.fromkeys(name for its in self._for(one) for name in its.about if name in CLASSES))

    def _why(self, one: Considered) -> str:
        if not (found := self._for(one)):
            return "worth trying whatever was seen"
        about = " and ".join(name.replace("_", " ") for name in self._classes(one))
        names = " and ".join(NAMES[finding.kind] for finding in found)
        return f"made for {names}, seen {self.where}" + (f" ({about})" if about else "")

    def _cites(self, its: Sequence[Considered]) -> tuple[str, ...]:
        """What was seen of it, and what it is made for."""
        of_moves = [run for one in its for run in _known(one)[1].cites]
        of_findings = [run for finding in self._for(its[0]) for run in finding.cites]
        return tuple(dict.fromkeys((*of_moves, *of_findings)))

    def _fallback(self, one: Instance) -> dict[FailureKind, list[str]]:
        """What another training would be; what would fail again is no help."""
        found: dict[FailureKind, list[str]] = {}
        for kind, words in one.move.fallback.items():
            try:
                other = self.composer.compose(last_words([*self.ground.words, *one.words, *words]))
            except UsageError:
                continue
            if other.sha256 != one.composed.sha256:
                found[kind] = list(words)
        return found


def _distinct(ranked: Sequence[Candidate], left_out: list[LeftOut]) -> list[Candidate]:
    """One of each configuration, and one of those that change the same number: a night asks it once."""
    kept: list[Candidate] = []
    owners: dict[str, str] = {}
    for one in ranked:
        number = _number(one.instance)
        alike = [owners[its] for its in _configurations(one) if its in owners]
        if alike:
            what = "one of its values comes" if one.ways else "comes"
            left_out.append(LeftOut(one.title, f"{what} to the same configuration as {alike[0]}"))
        elif number in owners:
            why = f"changes {number}, as {owners[number]} does, which comes first"
            left_out.append(LeftOut(one.title, why))
        else:
            kept.append(one)
            owners |= dict.fromkeys([*_configurations(one), *([number] if number else [])], one.title)
    return kept


def _configurations(one: Candidate) -> list[str]:
    """What it trains: of a sweep each of its values."""
    return [way.sha256 for way in one.ways] or [one.instance.composed.sha256]


def _number(one: Instance) -> str:
    """The only setting that a move changes, where that is a number; empty otherwise."""
    if len(one.changes) != 1:
        return ""
    [(key, values)] = one.changes.items()
    return key if all(isinstance(value, int | float) for value in values) else ""


def offers(considered: Sequence[Considered], design: Design, lengths: Lengths) -> dict[str, Offer]:
    """What each move that applies promises and costs, by its title, whatever the night has room for."""
    found = {}
    for one in considered:
        if one.applies:
            instance, known = _known(one)
            minutes = design.seeds * lengths.of(instance.composed.resolved, one.move.cost).p50 / 60
            found[one.title] = _offer(one.title, known.belief, design, minutes)
    return found


def _offer(title: str, belief: Belief, design: Design, minutes: float) -> Offer:
    """Where nobody knows the error of a comparison, it is taken to be as large as the doubt."""
    error = belief.sd if design.error is None else design.error
    critical = 2 * error if design.critical is None else design.critical
    return Offer(title, belief, error, critical, minutes)


def experiment_name(move: str, variant: str | None = None) -> str:
    """An experiment's id that leaves room for what runs' names add to it."""
    name = move if variant is None else f"{move}-{variant}"
    return name if len(name) <= _LONGEST else name[:_LONGEST].rstrip("-_")


def _known(one: Considered) -> tuple[Instance, Posterior]:
    """What a move that applies has.

    Raises:
        ValueError: it does not apply.
    """
    if one.instance is None or one.posterior is None:
        raise ValueError(f"{one.title} does not apply: {one.why_not}")
    return one.instance, one.posterior


def unlikely(known: Posterior, better: float) -> str:
    """Why a move is rather a control: by what it did here, where it was tried."""
    expected = f"better with a probability of {better:.2f}"
    if known.seen is not None:
        return f"tried here: {known.said}, {expected}"
    return f"more likely to lose than to gain: {expected}"


def _recall(class_name: str) -> str:
    return f"val/recall_{class_name}"


def _learned(one: Considered, known: Posterior) -> str:
    here = f" ({known.said})" if known.tried else ""
    return f"{here}; {one.again}" if one.again else here
