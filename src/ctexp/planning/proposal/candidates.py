"""Which changes a night should try: those that apply, by the gain that is expected of a minute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ctexp.config.compose import Composer
from ctexp.core.errors import UsageError
from ctexp.planning.moves.beliefs import Belief
from ctexp.planning.moves.instances import Instance
from ctexp.planning.moves.learning import Posterior
from ctexp.planning.moves.survey import Considered
from ctexp.planning.moves.value import Offer
from ctexp.planning.plan.document import FailureKind
from ctexp.planning.plan.jobs import last_words
from ctexp.planning.proposal.documents import LeftOut
from ctexp.planning.proposal.lengths import Lengths
from ctexp.planning.proposal.seeds import FEW, Design

_LONGEST = 30
"""Characters of an experiment's id: with the plan's name and the kind of a failure it is part of a run's."""


@dataclass(frozen=True)
class Way:
    """One value of a sweep, an experiment of its own.

    Attributes:
        minutes: of one of its jobs.
    """

    name: str
    words: tuple[str, ...]
    minutes: float


@dataclass(frozen=True)
class Candidate:
    """A move that could be made tonight.

    Attributes:
        name: of its experiment.
        instance: the move on the incumbent; of a sweep, that of the value most is expected of.
        ways: the values of a sweep; empty for a single change.
        why: what was seen that it is for.
        learned: what was seen of it here, to be put after what is believed.
        prior: and `posterior`, of its effect on the metric.
        expected_gain: see `moves.value`.
        minutes: of one of its jobs; of a sweep, the longest.
        whole: minutes of all it takes, every seed of every experiment.
        assumed: whether those are a guess.
        cites: runs it rests on.
        fallback: what is tried after a failure; only what would be another training.
    """

    name: str
    instance: Instance = field(hash=False)
    ways: tuple[Way, ...]
    why: str
    learned: str
    prior: Belief
    posterior: Belief
    expected_gain: float
    minutes: float
    whole: float
    assumed: bool
    cites: tuple[str, ...]
    fallback: Mapping[FailureKind, list[str]] = field(hash=False)

    @property
    def title(self) -> str:
        """As the catalogue calls it: `lower_lr`; a sweep by its id alone."""
        return self.instance.id if self.ways else self.instance.title

    @property
    def per_minute(self) -> float:
        """Expected gain per minute."""
        return self.expected_gain / max(self.whole, 1 / 60)


def candidates(
    considered: Sequence[Considered],
    focus: Sequence[str],
    words: Sequence[str],
    design: Design,
    lengths: Lengths,
    composer: Composer,
) -> tuple[list[Candidate], list[LeftOut]]:
    """The moves that could be made tonight, the best first; and why each other one is not.

    Args:
        considered: every move, as `moves.survey` found it.
        focus: the categories that are wanted; empty for all.
        words: what all jobs have in common.
        design: seeds, and the error that a comparison will have.
        lengths: of trainings.
        composer: of the project.
    """
    left_out = [LeftOut(one.title, one.why_not) for one in considered if not one.applies]
    usable: dict[str, list[Considered]] = {}
    for one in considered:
        if not one.applies:
            continue
        if focus and one.move.category not in focus:
            left_out.append(LeftOut(one.title, f"of category {one.move.category}, which is not in focus"))
        else:
            usable.setdefault(one.id, []).append(one)
    making = _Making(words, design, lengths, composer)
    made = [making.candidate(its) for its in usable.values()]
    ranked = sorted(made, key=lambda one: (-one.per_minute, one.title))
    return _distinct(ranked, left_out), left_out


def _distinct(ranked: Sequence[Candidate], left_out: list[LeftOut]) -> list[Candidate]:
    """Without those that come to what a better one comes to already."""
    kept: list[Candidate] = []
    owners: dict[str, str] = {}
    for one in ranked:
        digest = one.instance.composed.sha256
        owner = owners.setdefault(digest, one.title)
        if owner == one.title or one.ways:
            kept.append(one)
        else:
            left_out.append(LeftOut(one.title, f"comes to the same configuration as {owner}"))
    return kept


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


@dataclass(frozen=True)
class _Making:
    words: Sequence[str]
    design: Design
    lengths: Lengths
    composer: Composer

    def candidate(self, its: Sequence[Considered]) -> Candidate:
        """A move in one way, or a sweep in all of its values that make something of the recipe."""
        offered = [(_offer(one.title, _known(one)[1].belief, self.design, 1.0), one) for one in its]
        best, chosen = max(offered, key=lambda pair: pair[0].expected_gain)
        instance, known = _known(chosen)
        lengths = [self.lengths.of(_known(one)[0].composed.resolved, one.move.cost) for one in its]
        minutes = [length.p50 / 60 for length in lengths]
        ways = tuple(
            Way(experiment_name(one.id, one.variant), _known(one)[0].words, each)
            for one, each in zip(its, minutes, strict=True)
        )
        sweep = len(ways) > 1
        whole = self.design.seeds * max(minutes) + (FEW * sum(minutes) if sweep else 0.0)
        return Candidate(
            name=experiment_name(chosen.id, None if sweep else chosen.variant),
            instance=instance,
            ways=ways if sweep else (),
            why=chosen.reasons[0] if chosen.reasons else "worth trying whatever was seen",
            learned=_learned(chosen, known),
            prior=known.prior,
            posterior=known.belief,
            expected_gain=best.expected_gain,
            minutes=max(minutes),
            whole=whole,
            assumed=any(length.assumed for length in lengths),
            cites=tuple(dict.fromkeys(run for one in its for run in _known(one)[1].cites)),
            fallback=self._fallback(instance),
        )

    def _fallback(self, one: Instance) -> dict[FailureKind, list[str]]:
        """What another training would be; what would fail again is no help."""
        found: dict[FailureKind, list[str]] = {}
        for kind, words in one.move.fallback.items():
            try:
                other = self.composer.compose(last_words([*self.words, *one.words, *words]))
            except UsageError:
                continue
            if other.sha256 != one.composed.sha256:
                found[kind] = list(words)
        return found


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


def _learned(one: Considered, known: Posterior) -> str:
    here = f" ({known.said})" if known.tried else ""
    return f"{here}; {one.again}" if one.again else here
