"""What a night stands on, where the images are no longer those that were trained on."""

import shutil
from pathlib import Path

from tests.planning.proposal.projects import a_run, proposed, with_images
from tests.planning.study.projects import in_order
from tests.project import add_tiny_set


def test_after_the_images_were_brought_in_anew_figures_of_the_old_ones_count_for_nothing(
    tmp_path: Path,
) -> None:
    root = with_images(tmp_path)
    with in_order():
        for seed in (1, 2, 3, 4, 5):
            a_run(root, "base", seed)
    as_it_stands = proposed(root)
    assert as_it_stands.plan.baseline == "base"

    shutil.rmtree(root / "data")
    add_tiny_set(root, val=44)
    anew = proposed(root)
    assert anew.plan.baseline == "baseline"
    assert "baseline" in anew.plan.experiments
    told = "\n".join(anew.assumptions)
    assert "the images are other ones than base was trained and judged on" in told
    assert "how far seeds spread val/macro_f1 is not known yet" in told
    assert "is the baseline as it was trained before" not in told
