"""Data and their version, environment, source, tracker, pretrained weights."""

import sys
from collections.abc import Iterator
from pathlib import Path

from ctexp.core import tracker_key
from ctexp.core.errors import DataError, PreflightError
from ctexp.core.wording import many
from ctexp.data import catalog as catalogs
from ctexp.data.versions.version import dvc_version
from ctexp.planning.schedule.weights import check_weights
from ctexp.queue.opening.preflight.subject import Finding, Intended
from ctexp.trackers.choosing import require_installed

_LOCKS = ("requirements.lock", "requirements-dev.lock")
"""What `.venv` may have been made from; whoever makes it leaves a copy in it."""


def project(night: Intended) -> Iterator[Finding]:
    """Each check in its turn."""
    for name in dict.fromkeys(job.composed.settings.data.name for job in night.jobs):
        yield _data(night, name)
    yield _environment(night.place.root)
    yield _source(night)
    yield _tracker(night)
    yield _weights(night)


def _data(night: Intended, name: str) -> Finding:
    try:
        catalog = catalogs.load(night.place.data, name)
        catalog.verify_files([row for row in catalog.rows if not row.excluded])
    except DataError as error:
        more = f", and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
        return Finding("data", f"{error.problems[0]}{more}", "data", error.hint)
    version = dvc_version(night.place.root, catalog)
    told = f"version {version.raw}" if version.raw else version.reason
    return Finding("data", f"{catalog.title}, {len(catalog.rows)} images, {told}")


def _environment(root: Path) -> Finding:
    python = ".".join(map(str, sys.version_info[:3]))
    said = f"Python {python} in {sys.prefix}"
    pairs = [(root / lock, root / ".venv" / lock) for lock in _LOCKS]
    there = [(lock, copy) for lock, copy in pairs if lock.is_file() and copy.is_file()]
    if not there:
        return Finding("environment", f"{said}; not known to be as locked")
    if any(lock.read_bytes() == copy.read_bytes() for lock, copy in there):
        return Finding("environment", f"{said}, as locked")
    names = " or ".join(lock.name for lock, _ in there)
    return Finding("environment", f"{said} was not made from this {names}", "machine", "run scripts/inv once")


def _source(night: Intended) -> Finding:
    state = night.source
    if state.commit is None or state.dirty is None:
        return Finding("source", state.reason or "no commit yet")
    commit = f"commit {state.commit[:10]} on {state.branch or 'no branch'}"
    if not state.dirty:
        return Finding("source", f"{commit}, clean")
    names = [*state.changed, *state.untracked]
    more = ", …" if len(names) > 3 else ""
    said = f"{commit}, {many(len(names), 'file')} not committed ({', '.join(names[:3])}{more})"
    if any(job.composed.settings.git.dirty == "refuse" for job in night.jobs):
        return Finding("source", f"{said}, and git.dirty=refuse", "machine", "commit them")
    return Finding("source", f"{said}; each run keeps them as a patch")


def _tracker(night: Intended) -> Finding:
    loggers = [job.composed.settings.logger for job in night.jobs]
    online = [one for one in loggers if "wandb" in one.kinds and one.mode == "online"]
    names = [f"wandb {one.mode}" if kind == "wandb" else kind for one in loggers for kind in one.kinds]
    said = ", ".join(dict.fromkeys(names)) or "none"
    try:
        require_installed(tuple(dict.fromkeys(kind for one in loggers for kind in one.kinds)))
    except PreflightError as error:
        return Finding("tracker", f"{said}; {error}", "machine", error.hint)
    if not online:
        return Finding("tracker", said)
    if not tracker_key.present():
        advice = (
            "run .venv/bin/wandb login, or logger.mode=offline and `scripts/inv wandb-sync` in the morning"
        )
        return Finding("tracker", f"{said}, and no key for it", "machine", advice)
    longest = max(one.timeout for one in online)
    return Finding("tracker", f"{said}, with a key; it is waited for {longest:g} s at most")


def _weights(night: Intended) -> Finding:
    """Nothing is fetched here: a check of the plan does that, and takes the time it takes."""
    weights = check_weights(night.jobs, night.place.root, night.place.runs, fetch=False)
    if weights.problems:
        advice = f"scripts/inv plan-check {night.plan.name} --measure fetches what can be fetched"
        return Finding("weights", "; ".join(weights.problems), "machine", advice)
    if not weights.found:
        return Finding("weights", "none asked for: every network begins with random ones")
    return Finding("weights", ", ".join(f"{one.source} {one.sha256[:10]}" for one in weights.found))
