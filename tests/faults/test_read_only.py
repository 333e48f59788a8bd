"""Folders that cannot be written, told before the run or as what it is.

Root may write anywhere: as root the trainings run without the capabilities that let it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.record.checkpoint_files import LAST
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from ctexp.training.kernel.checkpoints import load
from tests.project import HERE, TINY, add_tiny_set, make_project

ORDINARY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root cannot be refused")
def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    runs, data, checkpoints = (make_project(tmp_path / name) for name in ("runs", "data", "checkpoints"))
    for project in (runs, data, checkpoints):
        add_tiny_set(project)
    (runs / "runs").mkdir(mode=0o555)
    (data / "data").chmod(0o555)
    jobs: list[dict[str, Any]] = [
        {"project": str(path), "words": TINY, "resume": None, "kill": None} for path in (runs, data)
    ]
    jobs.append(jobs[0] | {"project": str(checkpoints), "read_only": ["checkpoints", 6]})
    done = subprocess.run(
        [*ORDINARY, sys.executable, "-m", "tests.faults.forks"],
        input=json.dumps(jobs),
        cwd=HERE,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    answers = dict(zip(("runs", "data", "checkpoints"), json.loads(done.stdout), strict=True))

    assert answers["runs"]["status"] == 4, answers["runs"]["output"]
    assert f"{runs}/runs: cannot write" in answers["runs"]["output"]
    assert "paths.runs" in answers["runs"]["output"]
    assert not list((runs / "runs").iterdir())

    assert answers["data"]["status"] in {4, 5}, answers["data"]["output"]
    assert f"{data}/data" in answers["data"]["output"]
    assert not run_paths(data / "runs")

    (run,) = (RunDir(path) for path in run_paths(checkpoints / "runs"))
    assert answers["checkpoints"]["status"] == 5, answers["checkpoints"]["output"]
    result = run.read().result
    assert result is not None
    assert result.error is not None
    assert (result.state, result.failure) == ("failed", "StorageError")
    assert "checkpoints: cannot write" in result.error.message
    assert load(run.checkpoints / LAST)["global_step"] == 4
