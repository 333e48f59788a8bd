"""Whether a record still is what it says of itself: the hashes it has, against the files they are of."""

import json
from collections.abc import Iterator

from ctexp.core import files, yaml_file
from ctexp.core.errors import DataError
from ctexp.record import pruned
from ctexp.record.calibration import Calibration
from ctexp.record.checkpoint_files import BEST, LAST, SUMS, listed
from ctexp.reproduction.recorded import Recorded
from ctexp.reproduction.verdict import Difference

SHOWN = 12
"""Digits of a hash that people are shown."""


def tampered(of: Recorded) -> list[Difference]:
    """Files of the record that are not those it names by their hashes; what was pruned is missing rightly."""
    manifest = of.manifest
    found: list[Difference] = []
    if of.result.run_id != manifest.run_id:
        what, its, other = "the run that result.json is of", manifest.run_id, of.result.run_id
        found.append(Difference(area="record", what=what, recorded=its, found=other))
    found += _check("config.yaml", manifest.config_sha256, _config_sha256(of))
    if manifest.git.patch_sha256 is not None:
        found += _check("git.diff", manifest.git.patch_sha256, _hash(of, "git.diff"))
    found += _check("environment.txt", manifest.environment.packages_sha256, _hash(of, "environment.txt"))
    for split, digest in of.result.predictions.items():
        name = of.run.predictions(split).name
        found += _check(name, digest, _hash(of, name))
    return [*found, *_checkpoints(of)]


def _checkpoints(of: Recorded) -> Iterator[Difference]:
    """The weights, by `sha256sums`, and the best by what was measured with it."""
    named: dict[str, list[str]] = {}
    for digest, name in listed(of.run.checkpoints):
        named.setdefault(name, []).append(digest)
    for name in (BEST, LAST):
        path = f"checkpoints/{name}"
        found = _hash(of, path)
        if pruned.told(of.run, name) or (name == LAST and name not in named and found is None):
            continue
        if name not in named:
            yield Difference(area="record", what=path, recorded=f"not in {SUMS}", found=_shown(found))
        elif found not in named[name]:  # a kill in mid-write leaves two lines of one name
            yield from _check(path, named[name][0], found)
        elif name == BEST:
            yield from _measured(of, path, found)


def _measured(of: Recorded, path: str, found: str) -> Iterator[Difference]:
    """Whether these are the weights that the temperature is of."""
    try:
        measured = Calibration.read(of.run.calibration).checkpoint_sha256
    except DataError as error:
        for problem in error.problems:
            yield Difference(area="record", what=problem)
    else:
        yield from _check(f"{path}, as calibration.json names it", measured or found, found)


def _check(what: str, named: str, found: str | None) -> Iterator[Difference]:
    if named != found:
        yield Difference(area="record", what=what, recorded=_shown(named), found=_shown(found))


def _shown(digest: str | None) -> str:
    return "missing" if digest is None else f"sha256 {digest[:SHOWN]}"


def _hash(of: Recorded, name: str) -> str | None:
    path = of.run.path / name
    return files.sha256_file(path) if path.is_file() else None


def _config_sha256(of: Recorded) -> str:
    """As `config.compose` hashes a configuration."""
    document = yaml_file.read_mapping(of.run.config)
    return files.sha256_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
