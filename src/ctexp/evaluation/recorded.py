"""A run's `metrics.json`, read as what others rely on: a file of another shape is told, and not believed."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ctexp.core.errors import DataError
from ctexp.core.files import read_json
from ctexp.record.run_dir import RunDir


class _Part(BaseModel):
    """What has to be there; what else there is may be as it is."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Entry(_Part):
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


class _Summary(_Part):
    n: int
    groups: int
    support: dict[str, int]
    confusion: list[list[int]]
    metrics: dict[str, _Entry]
    per_class: dict[str, dict[str, _Entry]]
    notes: list[str] = []


class _Metrics(_Part):
    splits: dict[str, _Summary]


def splits(run: RunDir) -> Mapping[str, Mapping[str, Any]]:
    """Split -> its summary, as `metrics.summarise` makes it.

    Raises:
        DataError: the file is missing, damaged or of another shape; the line says where.
    """
    document = read_json(run.metrics)
    try:
        _Metrics.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{run.metrics}: {where or 'document'}: {first['msg']}") from error
    found: Mapping[str, Mapping[str, Any]] = document["splits"]
    return found
