"""A checked plan on this machine, now: its schedule by all that the project's runs tell."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ctexp.core.gpu import detect_gpus
from ctexp.executors.slots import Device
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.past import Past
from ctexp.planning.plan.document import Plan
from ctexp.planning.schedule.costs import expected
from ctexp.planning.schedule.fit import fit
from ctexp.planning.schedule.measurements import Measurements
from ctexp.planning.schedule.schedule import Schedule
from ctexp.planning.schedule.unmeasured import unmeasured


def schedule(
    checked: Sequence[CheckedJob],
    plan: Plan,
    runs: Path,
    now: datetime,
    devices: Sequence[Device] = (),
) -> Schedule:
    """The night as it is expected to go.

    Args:
        checked: the plan's jobs.
        plan: the plan.
        runs: the folder of all runs, which need not be there yet.
        now: aware.
        devices: that jobs run on, several at once; none where they come one after the other.

    Raises:
        DataError: the folder of runs cannot be read.
    """
    past, measured = Past.load(runs), Measurements.load(runs)
    costs = expected(checked, past, measured)
    there = next(folder for folder in (runs, *runs.parents) if folder.is_dir())
    gpus = detect_gpus().gpus
    found = fit(
        checked,
        costs,
        plan,
        now=now,
        gpu=gpus[0] if gpus else None,
        free_bytes=shutil.disk_usage(there).free,
        devices=devices,
    )
    return replace(found, unmeasured=tuple(unmeasured(checked, costs, past, measured, devices, plan.name)))
