"""A training within a job of SLURM is the training it is anywhere else."""

from pathlib import Path

import pytest

from ctexp.record.run_dir import RunDir
from tests.faults.runs import essence
from tests.faults.starts import train
from tests.project import TINY, newest

SRUN = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOB_NAME": "train",
    "SLURM_JOB_NODELIST": "n[1-2]",
    "SLURM_LOCALID": "1",
    "SLURM_NNODES": "2",
    "SLURM_NODEID": "1",
    "SLURM_NPROCS": "4",
    "SLURM_NTASKS": "4",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_PROCID": "3",
}
"""Of the last of four tasks on two nodes: Lightning would wait for the other three."""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_slurm_says_of_tasks_changes_nothing(
    finished: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("scontrol", "srun"):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for name, value in SRUN.items():
        monkeypatch.setenv(name, value)
    code, _ = train(*TINY)
    assert code == 0
    again = newest(finished.path.parent)
    assert again.path != finished.path
    assert essence(again) == essence(finished)
    assert not (tmp_path / "asked").exists()  # it neither requeues itself nor asks for others
