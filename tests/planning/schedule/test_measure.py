"""`inv estimate` in real child processes, on the tiny set."""

from pathlib import Path

import pytest

from ctexp.config.compose import compose
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.past import Past
from ctexp.planning.plan.jobs import jobs_of
from ctexp.planning.schedule.costs import expected
from ctexp.planning.schedule.measure import measure, unknown
from ctexp.planning.schedule.measurements import Measurements
from ctexp.record.environment import computes_on
from tests.planning.schedule.jobs import plan
from tests.project import TINY, add_tiny_set, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("measure") / "project")
    add_tiny_set(folder)
    return folder


def checked(project: Path) -> list[CheckedJob]:
    """Three jobs of one kind, and one whose images are not there."""
    experiments = {
        "net": {"seeds": [1, 2]},
        "longer": {"overrides": ["trainer.max_epochs=9", "optimizer.lr=0.01"]},
        "lost": {"overrides": ["data.name=nowhere", "data.image_size=32"]},
    }
    of = plan(experiments, common=list(TINY))
    return [
        CheckedJob(
            job=job,
            composed=compose(job.overrides(), project),
            fallbacks={},
            bases={},
            train_images=22,
            val_images=12,
            trainings=1,
            device=computes_on("cpu"),
        )
        for job in jobs_of(of)
    ]


@pytest.mark.slow
def test_each_kind_is_measured_once_and_failures_give_their_reason(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    runs, jobs = project / "runs", checked(project)
    kinds = unknown(jobs, Past.load(runs), Measurements.load(runs))
    assert [kind.jobs for kind in kinds] == [("net-s1", "net-s2", "longer-s42"), ("lost-s42",)]
    told: list[tuple[str, int, int]] = []
    (failed,) = measure(kinds, project, runs, lambda *step: told.append(step))
    assert failed.exit_code == 3
    assert failed.line.startswith("lost-s42: cannot be measured: ")
    assert "nowhere" in failed.line
    assert told == [("measuring kinds of training", done, 2) for done in (0, 1)]
    assert [path.name for path in runs.iterdir()] == ["estimates.json"]

    past, measurements = Past.load(runs), Measurements.load(runs)
    costs = expected(jobs, past, measurements)
    short, long = costs["net-s1"], costs["longer-s42"]
    assert short is not None
    assert long is not None
    assert short == costs["net-s2"]
    assert short.epoch_seconds is not None
    assert long.seconds - short.seconds == pytest.approx(6 * short.epoch_seconds)
    assert short.basis.startswith("measured 2 steps on 20")
    assert (short.memory_bytes or 0) > 10**8
    assert costs["lost-s42"] is None
    assert [kind.jobs for kind in unknown(jobs, past, measurements)] == [("lost-s42",)]


def test_a_child_that_says_nothing_useful_is_told_as_it_ended(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "invoke.py").write_text(
        "import os, sys; print('half a', flush=True); os.kill(os.getpid(), 9)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    kind = unknown(checked(project)[:1], Past(()), Measurements())
    (failed,) = measure(kind, project, tmp_path, lambda *_: None)
    assert failed.line == "net-s1: cannot be measured: `inv estimate` ended with -9"
    assert not (tmp_path / "estimates.json").exists()
