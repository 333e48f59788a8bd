"""That pruning saves most epochs and finds the same, and that learning beats luck: prepared objectives."""

from pathlib import Path
from statistics import fmean

import pytest

from benchmarks import sweep_search
from ctexp.sweeps.board.dimensions import same
from tests.sweeps.board.boards import WIDE, a_spec, make, work

pytestmark = pytest.mark.slow


@pytest.mark.timeout(1800)
def test_pruning_finds_the_full_sweeps_best_with_two_fifths_of_its_epochs() -> None:
    for name, results in sweep_search.pruning(seeds=8).items():
        assert fmean(share for share, _, _ in results) <= 0.4, name
        assert sum(found for _, found, _ in results) >= 7, name
        assert max(lost for _, _, lost in results) <= 2 * sweep_search.NOISE, name


@pytest.mark.timeout(1800)
def test_bayesian_search_beats_random_search_at_equal_budget_over_twenty_projects() -> None:
    found = sweep_search.search(("random", "tpe"))
    gain = [learned - lucky for learned, lucky in zip(found["tpe"], found["random"], strict=True)]
    _, low, _ = sweep_search.interval(gain)
    assert low > 0


def test_a_gaussian_process_that_is_sure_of_itself_still_tries_something_new(tmp_path: Path) -> None:
    board = make(tmp_path, a_spec(WIDE, method="bayes", sampler="gp", run_cap=16)).open()
    done = work(board, lambda values: float(str(values["lr"])))  # the best lies at the end of the range
    assert len({same(trial.values) for trial in done}) == len(done) == 16
    assert max(float(str(trial.values["lr"])) for trial in done) > 0.09
