"""`conf/verdict.yaml`: what it takes to be called better, apart from everything a training depends on."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from ctexp.config.schema.base import Fraction, Strict
from ctexp.core import metric_names, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.names import did_you_mean

FILE = Path("conf") / "verdict.yaml"
"""Where it stands, below the project's folder."""


def _metric(name: str) -> str:
    if name in metric_names.METRICS:
        return name
    raise ValueError(f"{name!r} is no metric; {did_you_mean(name, metric_names.METRICS)}")


def _of_a_split(name: str) -> str:
    try:
        return metric_names.canonical(name)
    except UsageError as error:
        raise ValueError(str(error)) from error


Metric = Annotated[str, AfterValidator(_metric)]


class TargetSettings(Strict):
    """What a run is for, for example a test accuracy of 0.90."""

    metric: Annotated[str, AfterValidator(_of_a_split)]
    value: float


class VerdictSettings(Strict):
    """What it takes to be called better, and to become the baseline.

    Attributes:
        alpha: how often the whole verdict may call a difference where there is none.
        metrics: the family of metrics that get a verdict, without their split.
        primary: the one that decides.
        worthwhile: the smallest improvement of it that matters.
        miss_rate_margin: by how much the miss rate may be seen higher.
        target: what a run is for.
        specificity: at which sensitivity to cancer is told.
        prevalence: of cancer, at which PPV and NPV are told; None for that of the data.
    """

    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    metrics: Annotated[list[Metric], Field(min_length=1)]
    primary: Metric
    worthwhile: Annotated[float, Field(gt=0)]
    miss_rate_margin: Fraction
    target: TargetSettings
    specificity: Annotated[float, Field(gt=0, lt=1)]
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None

    @model_validator(mode="after")
    def _primary_is_of_the_family(self) -> Self:
        if self.primary not in self.metrics:
            raise ValueError(f"primary: {self.primary} is not one of metrics")
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics: one is named twice")
        return self


def load(root: Path) -> VerdictSettings:
    """Read a project's `conf/verdict.yaml`.

    Raises:
        UsageError: it is missing or wrong; every problem a line.
    """
    document = yaml_file.read_mapping(root / FILE, str(FILE))
    try:
        return VerdictSettings.model_validate(document)
    except ValidationError as error:
        raise UsageError([_line(dict(detail)) for detail in error.errors(include_url=False)]) from error


def _line(detail: dict[str, Any]) -> str:
    """`conf/verdict.yaml: alpha: input should be less than 0.5, got 2`."""
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{FILE}: {key}: unknown key; {did_you_mean(key, VerdictSettings.model_fields)}"
    said = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    got = "" if detail["type"] in {"missing", "value_error"} else f", got {detail['input']!r}"
    return f"{FILE}: {f'{key}: ' if key else ''}{said[:1].lower()}{said[1:]}{got}"
