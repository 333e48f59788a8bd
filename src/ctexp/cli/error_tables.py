"""What `analyze-errors` prints: short tables; the page and the document have all of it."""

from pathlib import Path

from ctexp.cli.tables import plain
from ctexp.core import screen
from ctexp.core.paths import shown
from ctexp.evaluation.mistakes.document import Mistakes
from ctexp.evaluation.mistakes.folder import PAGE
from ctexp.evaluation.mistakes.page import is_told, p_value, share

_SHOWN = 5


def tell(found: Mistakes, folder: Path) -> None:
    """Print the most telling of it."""
    print(
        f"{found.title}  {found.split}  {found.images:,} images: {found.errors:,} called wrong, "
        f"{share(found.accuracy)} right"
        + ("" if found.miss_rate.value is None else f"; cancers called normal {share(found.miss_rate)}")
    )
    _tell_confusions(found)
    _tell_slices(found)
    _tell_images(found)
    _tell_rest(found)
    print(f"written to {shown(folder / PAGE)}")
    for note in found.notes:
        screen.note(note)


def _tell_confusions(found: Mistakes) -> None:
    if found.confusions:
        table = plain("truth", "called", "images:", "of the class, 95 % interval:")
        for pair in found.confusions[:_SHOWN]:
            table.add_row(pair.truth, pair.called, str(pair.n), share(pair.rate))
        screen.print_table(table)


def _tell_slices(found: Mistakes) -> None:
    """Slices that differ from the rest by more than chance, or the statement that none does."""
    told = [one for one in found.slices if is_told(one.difference.p_holm)]
    if not told:
        tested = sum(one.difference.p is not None for one in found.slices)
        print(f"no slice of {tested} differs from the rest by more than chance")
        return
    table = plain("slice", "images:", "right:", "against the rest:", "p (Holm):")
    for one in told:
        difference = one.difference
        table.add_row(
            f"{one.attribute} {one.value}",
            str(one.n),
            share(one.accuracy),
            f"{100 * difference.value:+.0f} ({100 * difference.low:+.0f} to {100 * difference.high:+.0f})",
            p_value(difference.p_holm),
        )
    screen.print_table(table)


def _tell_images(found: Mistakes) -> None:
    if found.confident:
        table = plain("surest mistakes", "truth", "called", "probability:")
        for one in found.confident[:_SHOWN]:
            table.add_row(one.image_id, one.truth, one.called, f"{one.probabilities[one.called]:.2f}")
        screen.print_table(table)
    labels = found.mislabelled
    if labels.withheld:
        print(f"labels not assessed: {labels.withheld}")
        return
    print(f"labels to look at: {len(labels.suspects)} ({labels.said})")
    if labels.suspects:
        table = plain("image", "label", "perhaps", "margin:")
        for suspect in labels.suspects[:_SHOWN]:
            table.add_row(suspect.image_id, suspect.label, suspect.probably, f"{suspect.margin:+.3f}")
        screen.print_table(table)


def _tell_rest(found: Mistakes) -> None:
    print(f"undecided images (margin below 0.2): {found.undecided}")
    seeds = found.stability
    if seeds is not None:
        kappa = "" if seeds.kappa is None else f", kappa {seeds.kappa:.2f}"
        print(
            f"{len(seeds.seeds)} seeds: always right {seeds.always_right}, "
            f"flickering {len(seeds.flickering)}, always wrong {len(seeds.always_wrong)}{kappa}"
        )
    print(found.fairness.said)
    why = found.explanation
    if why is None:
        return
    if why.outside is not None and why.area_outside is not None:
        print(
            f"{100 * why.outside:.0f} % of the evidence lies outside the body, where "
            f"{100 * why.area_outside:.0f} % of the pictures lie ({why.images} explained)"
        )
    if why.looks_away:
        screen.warn("the network looks outside the body no less than an even gaze would")
    if why.suspicious:
        screen.warn(
            f"the maps hardly change when the weights are random (rank correlation {why.sanity:.2f}): "
            "they do not show what was learned"
        )
