"""From `git clone` to the first trained model, step by step.

    .venv/bin/python -m benchmarks.first_model

Clones the last commit into a folder that is new, and types what the README says there. Downloads are left
aside: the packages are installed once before, so that all of them are in uv's cache, and what is measured
begins without an environment. Prints the seconds of each step and its part of the whole.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.aims import told

ROOT = Path(__file__).resolve().parent.parent
AIM_SECONDS = 180.0


def typed(folder: Path, *words: str) -> list[tuple[float, str]]:
    """Run one command; when it said each line of its standard error, and the end, by the clock."""
    clean = {name: value for name, value in os.environ.items() if name not in {"CTEXP_ROOT", "VIRTUAL_ENV"}}
    said = [(time.perf_counter(), "")]
    with subprocess.Popen(
        words, cwd=folder, env=clean, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None  # noqa: S101 - for the type checker
        for line in process.stderr:
            said.append((time.perf_counter(), line.removeprefix("scripts/inv: ").rstrip()))
    if process.returncode:
        sys.exit("\n".join(line for _, line in said))
    return [*said, (time.perf_counter(), "")]


def seconds(folder: Path, *words: str) -> float:
    """The wall time of one command."""
    said = typed(folder, *words)
    return said[-1][0] - said[0][0]


def installed(clone: Path) -> dict[str, float]:
    """The seconds of each step of an installation, by what each is."""
    said = typed(clone, "scripts/inv", "--list")
    packages = next(when for when, line in said if line.startswith("installing the"))
    return {
        "uv, by pip into .uv/": packages - said[0][0],
        "the packages, into .venv/": said[-1][0] - packages,
    }


def trained(clone: Path) -> float:
    """The seconds of the only run, from its first line to its last, as its record has them."""
    (result,) = (clone / "runs").glob("*/result.json")
    return float(json.loads(result.read_text())["duration_seconds"])


def main() -> None:
    """Type it all, and print."""
    steps: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "ctexp"
        steps["git clone, of this disk"] = seconds(
            Path(folder), "git", "clone", "--quiet", "--no-local", str(ROOT), str(clone)
        )
        typed(clone, "scripts/inv", "--list")
        for made in (".venv", ".uv"):
            shutil.rmtree(clone / made)
        steps |= installed(clone)
        drawn = seconds(clone, "scripts/inv", "data-phantom")
        whole = seconds(clone, "scripts/inv", "quickstart")
        steps["the synthetic set: drawn, scanned, audited, split"] = drawn
        steps["before its run: Python, torch, configuration, an estimate"] = whole - trained(clone)
        steps["the run: 100 epochs, calibration, figures, record"] = trained(clone)
    total = sum(steps.values())
    for step, took in steps.items():
        print(f"{step:<58}{took:7.1f} s  {took / total:4.0%}")
    print(f"{'together':<58}{total:7.1f} s")
    told("quickstart, installed", drawn + whole, "s", AIM_SECONDS, "at most")


if __name__ == "__main__":
    main()
