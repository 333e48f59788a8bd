"""Whether a run and its repetition are the same: what is compared, how strictly, and what only is listed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ctexp.core import yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import DataError
from ctexp.record import pruned
from ctexp.record.checkpoint_files import BEST
from ctexp.record.manifest import Manifest
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.record.subjects import JUDGED
from ctexp.reproduction.comparing import answers, numbers
from ctexp.reproduction.comparing.numbers import Held
from ctexp.reproduction.differences import machines
from ctexp.reproduction.recorded import Recorded, packages_of
from ctexp.reproduction.rows import Row, differing
from ctexp.reproduction.verdict import Area, Compared, Difference, Outcome

_ELSEWHERE = ("paths.", "logger.", "git.")
"""Settings of where a run lies and who is told of it."""

_NAMED = 20
"""Packages and settings that are named one by one."""


@dataclass
class Judged:
    """What comparing came to.

    Attributes:
        lenient_because: why not every bit has to be the same; empty where it has.
    """

    lenient_because: list[str] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def hold(self, compare: Callable[[], Held]) -> None:
        """Compare something; what is damaged is a difference of the record."""
        try:
            held = compare()
        except DataError as error:
            self.differences += [Difference(area="record", what=problem) for problem in error.problems]
        else:
            self.compared.append(held.compared)
            self.differences += held.differences

    @property
    def outcome(self) -> Outcome:
        """The verdict."""
        if any(difference.counts for difference in self.differences):
            return "different"
        return "equal" if all(one.identical for one in self.compared) else "within_tolerance"


def judge(of: Recorded, other: RunDir, tolerance: float, *, weights: bool = True) -> Judged:
    """Compare a run with its repetition.

    Args:
        of: the run.
        other: the repetition, which has ended.
        tolerance: where not every bit has to be the same: how far a metric may be apart, and which share of
            the images may get another class.
        weights: whether the recorded ones are to be compared; not where they are known to be others by now.

    Raises:
        DataError: the repetition's record cannot be read.
    """
    state, manifest, result, problems = other.read()
    if manifest is None or result is None:
        raise DataError(problems or f"{other.id}: {state}", f"see {other.path}")
    found = Judged()
    if result.state not in JUDGED or result.state != of.result.state:
        found.differences.append(_ended(of.result, result))
    found.differences += _inputs(of, manifest, other.config)
    _list_surroundings(found, of, manifest, packages_of(other))
    if result.state in JUDGED:
        _compare(found, of.run, other, None if not found.lenient_because else tolerance, weights=weights)
    return found


def _ended(recorded: Result, found: Result) -> Difference:
    why = f": {' '.join(found.error.message.split())}" if found.error else ""
    return Difference(
        area="outcome", what="how it ended", recorded=recorded.state, found=f"{found.state}{why}"
    )


def _inputs(of: Recorded, manifest: Manifest, config: Path) -> Iterator[Difference]:
    """Source, configuration and data: these are to be the same everywhere."""
    one, other = of.manifest, manifest
    yield from _listed("source", differing(_source(one), _source(other)))
    flat = flattened(yaml_file.read_mapping(config))
    mine, theirs = (
        {key: value for key, value in settings.items() if not key.startswith(_ELSEWHERE)}
        for settings in (of.config, flat)
    )
    yield from _listed("configuration", differing(mine, theirs))
    yield from _listed("record", differing(_described(one), _described(other)))
    yield from _listed("data", differing(_data(one), _data(other)))


def _source(manifest: Manifest) -> dict[str, str | None]:
    return {"commit": manifest.git.commit, "sha256 of the patch": manifest.git.patch_sha256}


def _described(manifest: Manifest) -> dict[str, object]:
    """What a manifest says of the training in its own words, which is what tables of runs show."""
    prepared = flattened(manifest.preprocessing, "preprocessing.")
    its = flattened(manifest.hyperparameters) | prepared
    kept = {key: value for key, value in its.items() if not key.startswith(_ELSEWHERE)}
    said = {"name": manifest.name, "seed": manifest.seed, "network": manifest.model.name, **kept}
    return {f"manifest.json: {key}": value for key, value in said.items()}


def _data(manifest: Manifest) -> dict[str, object]:
    its = manifest.dataset
    return {
        "data set": its.name,
        "split": its.split,
        "fold": its.fold,
        "sample": its.sample,
        "sha256 of the catalog": its.catalog_sha256,
        "sha256 of the split": its.split_sha256,
        "images": flattened(its.rows),
        "features": manifest.features,
        "sha256 of the first weights": manifest.weights.sha256,
        "parameters of the network": manifest.model.parameters,
    }


def _listed(area: Area, rows: list[Row], *, counts: bool = True) -> Iterator[Difference]:
    for row in rows[:_NAMED]:
        recorded, repeated = row.said
        yield Difference(area=area, what=row.what, recorded=recorded, found=repeated, counts=counts)
    if len(rows) > _NAMED:
        yield Difference(area=area, what=f"{len(rows) - _NAMED} more", counts=counts)


def _list_surroundings(found: Judged, of: Recorded, manifest: Manifest, packages: tuple[str, ...]) -> None:
    """List what differs in environment and hardware, and say which of it excuses other bits."""
    one, other = of.manifest, manifest
    software = machines.software(one.environment, other.environment)
    versions = machines.packages(of.packages, packages)
    found.differences += _listed("environment", [*software, *versions], counts=False)
    found.differences += _listed("hardware", machines.hardware(one, other), counts=False)
    if one.environment.python != other.environment.python:
        found.lenient_because.append("another Python")
    if versions:
        found.lenient_because.append(f"other packages ({len(versions)})")
    if _computer(one) != _computer(other):
        found.lenient_because.append("another processor or GPU, or another number of threads")
    elif other.device is not None and any(gpu.name == other.device for gpu in other.environment.gpus):
        found.lenient_because.append("a GPU, on which some operations have no repeatable form")
    if one.git.left_out:
        found.lenient_because.append("a patch that lacks files")


def _computer(manifest: Manifest) -> str:
    """What it computed on; records from before that was noted have the processor alone."""
    return manifest.device or manifest.environment.cpu


def _compare(found: Judged, one: RunDir, other: RunDir, tolerance: float | None, *, weights: bool) -> None:
    """Hold predictions, metrics, history and weights side by side.

    Two trainings that began to differ in a last bit are other trainings after some epochs: where bits may
    differ, their histories and weights are told and not held against them.
    """
    strict = tolerance is None
    found.hold(lambda: answers.predictions(one, other, "val", tolerance))
    found.hold(lambda: numbers.metrics(one, other, "val", tolerance))
    found.hold(lambda: numbers.epochs(one, other, counts=strict))
    if not weights:
        found.notes.append(f"weights were not compared: {BEST} is not the recorded one any more")
    elif (gone := pruned.told(one, BEST)) is not None:
        found.notes.append(f"weights were not compared: {gone}")
    else:
        found.hold(lambda: answers.weights(one, other, counts=strict))
