"""What a run ran on: packages and machine."""

from ctexp.checklist.answers import Answer, full, partly
from ctexp.checklist.evidence import Evidence
from ctexp.core import files

_AGAIN = "train again: {command}"


def environment(of: Evidence) -> Answer:
    """Every package with its version, and Python's."""
    known = of.manifest.environment
    listed = of.run.environment
    if not listed.is_file():
        return partly(0.0, "environment.txt, the packages, is missing", _AGAIN)
    if files.sha256_file(listed) != known.packages_sha256:
        fix = "bring back environment.txt from a copy of the run, or train again: {command}"
        return partly(0.0, "environment.txt was changed after the run began", fix)
    return full("recorded", f"Python {known.python}, {known.packages} packages")


def hardware(of: Evidence) -> Answer:
    """Processor, memory, GPU, driver, and which of them computed."""
    known = of.manifest.environment
    missing = [
        name
        for name, there in (
            ("processor", known.cpu),
            ("memory", known.memory_bytes),
            ("driver", known.driver or not known.gpus),
            ("which device computed", of.manifest.device),
        )
        if not there
    ]
    if missing:
        share = 1 - len(missing) / 4
        return partly(share, f"not recorded: {', '.join(missing)}", _AGAIN)
    return full("recorded", of.manifest.device or "")
