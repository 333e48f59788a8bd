"""Everything a plan rests on, before any of it is put into a night."""

from dataclasses import dataclass, field
from statistics import median

from ctexp.config.compose import Composer, resolve_paths
from ctexp.core.errors import UsageError
from ctexp.planning.checking.images import ImagesOf
from ctexp.planning.diagnosis.findings import Diagnosis, Kind
from ctexp.planning.moves import history
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.moves.survey import Considered, survey
from ctexp.planning.moves.value import Offer
from ctexp.planning.proposal.candidates import Candidate, Choosing, offers
from ctexp.planning.proposal.documents import LeftOut, Night, Wishes
from ctexp.planning.proposal.ground import Ground, lay
from ctexp.planning.proposal.lengths import Lengths, Took
from ctexp.planning.proposal.nights import kind_of
from ctexp.planning.proposal.seeds import Design, Question, Spread
from ctexp.planning.study.noise import Noise
from ctexp.planning.study.recipes import Recipe, Trained
from ctexp.planning.study.study import Study

USUAL_HYPOTHESES = 4
"""Among how many a night's criteria are judged, as long as nobody knows how many it will hold."""


_SEEN_TO_ANYWAY = ("leakage", "noise_floor_unknown", "seed_variance")


@dataclass(frozen=True)
class Considering:
    """What was looked at.

    Attributes:
        night: what kind is needed, and `said` why.
        metric: `val/...`, which is to become better.
        ground: what changes are made to.
        composer: of the project.
        lengths: of trainings.
        noise: of seeds; None where nobody knows.
        question: what is to be decided; `design` by how many seeds.
        first: the trouble that what is made for it comes first; None where there is none.
        considered: every move of the catalogue.
        offers: by title, what those that apply promise.
        ranked: those a night may hold, the best first.
        left_out: those it may not.
    """

    night: Night
    said: str
    metric: str
    ground: Ground
    composer: Composer = field(hash=False)
    lengths: Lengths = field(hash=False)
    noise: Noise | None
    question: Question = field(hash=False)
    design: Design = field(hash=False)
    first: Kind | None
    considered: tuple[Considered, ...]
    offers: dict[str, Offer] = field(hash=False)
    ranked: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]


def consider(study: Study, diagnosis: Diagnosis, catalogue: Catalogue, wishes: Wishes) -> Considering:
    """Look at everything.

    Raises:
        UsageError: overrides do not compose, or the catalogue knows nothing of the metric.
        DataError: there are no images.
    """
    night, said = kind_of(study, diagnosis)
    metric = wishes.metric or study.primary
    composer = Composer(study.root)
    ground = lay(study, wishes, composer, leaky=night == "clean split")
    holds = ground.same and night != "clean split"
    images = ground.images
    noise = None if ground.elsewhere else study.noise(metric)
    spread = Spread(noise, _image_error(study, metric))  # so many images err about as much as others
    question = Question(metric, images.groups, images.judged, spread, study.settings)
    design = question.fewest(USUAL_HYPOTHESES)
    incumbent = ground.incumbent
    took = [_took(study, incumbent, one) for one in incumbent.runs] if incumbent else []
    lengths = Lengths(resolve_paths(study.root)[1], ground.composed.resolved, images, took)
    tried = (
        history.tried(
            (*study.recipes, *study.failed),
            incumbent,
            catalogue,
            composer,
            lambda before, after: study.difference(before, after, metric),
        )
        if night != "clean split"
        else ()
    )
    considered = survey(
        ground.recipe,
        catalogue,
        composer,
        seen=diagnosis.seen,
        tried=tried if holds else (),
        metric=metric,
        worthwhile=question.worthwhile,
        noise=noise,
    )
    if all(one.prior is None for one in considered):
        raise UsageError(
            f"--goal: no move in conf/moves says anything of {metric}",
            "name another metric, or add an effect on it",
        )
    focus = wishes.focus or _first_focus(night, considered)
    reader = ImagesOf(study.root)
    first, where = _first_of(diagnosis), "on the images before" if ground.elsewhere else "here"
    choosing = Choosing(ground, design, lengths, composer, first, diagnosis.seen, reader, where)
    ranked, left_out = choosing.candidates(considered, focus)
    return Considering(
        night=night,
        said=said,
        metric=metric,
        ground=ground,
        composer=composer,
        lengths=lengths,
        noise=noise,
        question=question,
        design=design,
        first=first,
        considered=considered,
        offers=offers(considered, design, lengths),
        ranked=tuple(ranked),
        left_out=tuple(left_out),
    )


def _took(study: Study, recipe: Recipe, one: Trained) -> Took:
    """How long a training of a recipe took."""
    whole = one.summary.duration_seconds or 0.0
    epochs = sum(row.get("seconds") or 0.0 for row in study.curves(one))
    return Took(min(epochs, whole), max(0.0, whole - epochs), recipe.settings)


def _first_of(diagnosis: Diagnosis) -> Kind | None:
    """What a change should do something about first: neither noise nor copies, which plans see to anyway."""
    seen = [one for one in diagnosis.seen if one.kind not in _SEEN_TO_ANYWAY]
    sure = [one for one in seen if one.confidence != "low"]
    return next((one.kind for one in (*sure, *seen)), None)


def _first_focus(night: Night, considered: tuple[Considered, ...]) -> tuple[str, ...]:
    """The first night compares networks, where there are any for this recipe."""
    networks = any(one.applies and one.move.category == "architecture" for one in considered)
    return ("architecture",) if night == "first" and networks else ()


def _image_error(study: Study, metric: str) -> float | None:
    """The error of a difference from the choice of images, by what was compared with the incumbent.

    Where nothing was: that of one training. Two that agree on half of what is hard have as large a one in
    their difference.
    """
    incumbent = study.incumbent
    if incumbent is None:
        return None
    known = [
        its.image_se
        for one in study.recipes
        if one is not incumbent and (its := study.difference(incumbent, one, metric)).image_se
    ]
    return median(known) if known else study.image_error(metric)
