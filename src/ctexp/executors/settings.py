"""`conf/executor/*.yaml`: where work may run, a file for each place, named by `--executor`.

Apart from what a training depends on: no file here changes a result.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from ctexp.config.schema.base import Id, Strict
from ctexp.core import durations, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.names import ID_PATTERN, did_you_mean
from ctexp.core.sizes import size_bytes

FOLDER = Path("conf") / "executor"
"""Where they stand, below the project's folder."""

DEFAULT = "local"


def _size(text: str) -> str:
    size_bytes(text)
    return text


def _duration(text: str) -> str:
    durations.seconds(text)
    return text


Size = Annotated[str, AfterValidator(_size), Field(description="a size: 500MB, 16GB")]
Duration = Annotated[str, AfterValidator(_duration), Field(description="a time: 90s, 30m, 8h")]
Count = Annotated[int, Field(ge=1, le=10_000)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:=,@%+\[\]-]{0,127}$", description="a word")]


class Device(Strict):
    """What jobs of this machine run on.

    Attributes:
        name: `cpu`, or `cuda:N`, N being what `nvidia-smi` calls it.
        memory: what jobs may use of it together.
    """

    name: Annotated[str, Field(pattern=r"^(cpu|cuda:[0-9]{1,3})(#[0-9]{1,3})?$", description="cpu or cuda:N")]
    memory: Size


class LocalSettings(Strict):
    """This machine."""

    kind: Literal["local"]
    devices: Literal["auto"] | Annotated[list[Device], Field(min_length=1)]
    jobs_per_device: Count


class SlurmSettings(Strict):
    """A SLURM cluster with a shared file system."""

    kind: Literal["slurm"]
    partition: Word | None
    account: Word | None
    qos: Word | None
    gres: Word | None
    cpus: Count | None
    memory: Annotated[str, Field(pattern=r"^[0-9]+[KMGT]?$", description="a size for SLURM: 16G")] | None
    time: Duration
    at_once: Count | None
    restarts: Annotated[int, Field(ge=0, le=100)]
    options: list[Annotated[str, Field(pattern=r"^--[a-z-]+(=[A-Za-z0-9_.:=,@%+&|\[\]*/-]+)?$")]]


class RaySettings(Strict):
    """A Ray cluster that runs already."""

    kind: Literal["ray"]
    address: Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f]+$")]
    cpus: Annotated[float, Field(gt=0)]
    gpus: Literal["auto"] | Annotated[float, Field(ge=0)]
    memory: Size | None
    at_once: Count | None
    restarts: Annotated[int, Field(ge=0, le=100)]
    storage: Annotated[
        str,
        Field(
            pattern=r"^(shared|copy|[a-z][a-z0-9+]*://[^\x00-\x20\x7f]+)$",
            description="shared, copy, or a URL",
        ),
    ]


class ModalSettings(Strict):
    """Machines of Modal."""

    kind: Literal["modal"]
    app: Id
    gpu: Word | None
    cpus: Annotated[float, Field(gt=0)]
    memory: Size
    time: Duration
    at_once: Count
    restarts: Annotated[int, Field(ge=0, le=100)]
    volume: Id


ExecutorSettings = LocalSettings | SlurmSettings | RaySettings | ModalSettings

_KINDS: dict[str, type[Strict]] = {
    "local": LocalSettings,
    "slurm": SlurmSettings,
    "ray": RaySettings,
    "modal": ModalSettings,
}
_ANY: TypeAdapter[ExecutorSettings] = TypeAdapter(Annotated[ExecutorSettings, Field(discriminator="kind")])


def load(root: Path, name: str) -> ExecutorSettings:
    """What `--executor NAME` means in a project.

    Args:
        root: the project's folder.
        name: of a file in `conf/executor`, without its suffix.

    Raises:
        UsageError: there is no such file, or it is wrong; every problem a line.
    """
    known = sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))
    if not ID_PATTERN.fullmatch(name) or name not in known:
        listed = f"conf/executor has {', '.join(known) or 'no file'}"
        raise UsageError(f"--executor: {name!r} is none; {did_you_mean(name, known) or listed}", listed)
    where = f"{FOLDER}/{name}.yaml"
    document = yaml_file.read_mapping(root / FOLDER / f"{name}.yaml", where)
    try:
        return _ANY.validate_python(document)
    except ValidationError as error:
        lines = [_line(where, document, dict(detail)) for detail in error.errors(include_url=False)]
        raise UsageError(lines) from error


def _line(where: str, document: dict[str, Any], detail: dict[str, Any]) -> str:
    """`conf/executor/lab.yaml: time: no duration: 'x'`."""
    path = [str(part) for part in detail["loc"]]
    model = _KINDS.get(str(document.get("kind")))
    key = ".".join(path[1:] if path and path[0] in _KINDS else path)
    if detail["type"] == "extra_forbidden" and model is not None:
        return f"{where}: {key}: unknown key; {did_you_mean(key, model.model_fields)}"
    said = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    got = "" if detail["type"] in {"missing", "value_error"} else f", got {detail['input']!r}"
    return f"{where}: {f'{key}: ' if key else ''}{said[:1].lower()}{said[1:]}{got}"
