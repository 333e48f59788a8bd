"""Two runs apart: every section, from their records alone."""

from dataclasses import dataclass
from pathlib import Path

from ctexp.core import yaml_file
from ctexp.core.dotted import flattened
from ctexp.core.errors import CtexpError, DataError, PreflightError
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.reproduction.differences import machines
from ctexp.reproduction.differences.code import code
from ctexp.reproduction.differences.data import data
from ctexp.reproduction.differences.results import NO_VERDICT, results
from ctexp.reproduction.recorded import packages_of
from ctexp.reproduction.repository import Repository
from ctexp.reproduction.rows import Row, differing


@dataclass(frozen=True)
class Section:
    """One kind of difference.

    Attributes:
        title: `code`, `configuration`, `data`, `environment`, `results`.
        rows: what differs; of the results every metric, whether it does or not.
        notes: what else is to be known, one line each.
    """

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def differences(one: RunDir, other: RunDir, root: Path, data_dir: Path) -> list[Section]:
    """In what two runs differ.

    Raises:
        DataError: one of the records has no manifest that can be read.
    """
    runs = (one, other)
    readings = [run.read() for run in runs]
    if problems := [line for reading in readings if reading.manifest is None for line in reading.problems]:
        raise DataError(problems)
    manifests = [reading.manifest for reading in readings if reading.manifest is not None]
    return [
        _section("code", *_code(runs, manifests, root)),
        _section("configuration", *_configuration(runs)),
        _section("data", *data(manifests[0], manifests[1], root, data_dir)),
        _section("environment", *_environment(runs, manifests)),
        _section("results", *results(runs, readings)),
    ]


def _section(title: str, rows: list[Row], notes: list[str]) -> Section:
    return Section(title, tuple(rows), (*notes, NO_VERDICT) if title == "results" else tuple(notes))


def _code(runs: tuple[RunDir, RunDir], manifests: list[Manifest], root: Path) -> tuple[list[Row], list[str]]:
    try:
        repository = Repository(root)
    except PreflightError as error:
        return [], [f"commits cannot be looked at: {line}" for line in error.problems]
    return code(runs, manifests, repository)


def _configuration(runs: tuple[RunDir, RunDir]) -> tuple[list[Row], list[str]]:
    try:
        return differing(*(flattened(yaml_file.read_mapping(run.config)) for run in runs)), []
    except CtexpError as error:
        return [], [f"not compared: {line}" for line in error.problems]


def _environment(runs: tuple[RunDir, RunDir], manifests: list[Manifest]) -> tuple[list[Row], list[str]]:
    one, other = manifests
    rows = [*machines.software(one.environment, other.environment), *machines.hardware(one, other)]
    try:
        return rows + machines.packages(*map(packages_of, runs)), []
    except DataError as error:
        return rows, [f"packages were not compared: {line}" for line in error.problems]
