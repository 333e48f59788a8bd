"""`conf/executor/*.yaml`: where work may run, a file for each place, named by `--executor`.

Apart from what a training depends on: no file here changes a result. Each key but `kind` has a default, which
is what the shipped files say.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from ctexp.config.schema.base import Id, Strict
from ctexp.core import durations, sizes, yaml_file
from ctexp.core.errors import UsageError
from ctexp.core.names import ID_PATTERN, did_you_mean
from ctexp.executors import mistakes

FOLDER = Path("conf") / "executor"
"""Where they stand, below the project's folder."""

DEFAULT = "local"


def _duration(text: str) -> str:
    try:
        durations.seconds(text)
    except UsageError as error:
        raise ValueError(f"{error.problems[0]}; write 90s, 30m or 8h") from error
    return text


Size = Annotated[str, Field(pattern=f"^{sizes.PATTERN}$")]
Duration = Annotated[str, AfterValidator(_duration)]
Count = Annotated[int, Field(ge=1, le=10_000)]
Restarts = Annotated[int, Field(ge=0, le=100, description="a whole number from 0 to 100")]
Processors = Annotated[float, Field(gt=0, description="a number above 0")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:=,@%+\[\]-]{0,127}$")]

_SIZE = "a size with its unit (500MB, 16GB)"
_COUNT = "a whole number from 1 to 10000"
_WORD = "a word of letters, digits and _.:=,@%+[]-"

AnyCount = Annotated[Count | None, Field(description=f"{_COUNT}, or null")]
AnyWord = Annotated[Word | None, Field(description=f"{_WORD}, or null")]


class Device(Strict):
    """What jobs of this machine run on.

    Attributes:
        name: `cpu`, or `cuda:N`, N being what `nvidia-smi` calls it; `#2` behind it tells two of them apart.
        memory: what jobs may use of it together.
    """

    name: Annotated[
        str,
        Field(pattern=r"^(cpu|cuda:[0-9]{1,3})(#[0-9]{1,3})?$", description="cpu, cpu#1 or cuda:0"),
    ]
    memory: Annotated[Size, Field(description=_SIZE)]

    @property
    def place(self) -> str:
        """What it is a part of: `cpu` of `cpu#1`."""
        return self.name.partition("#")[0]


def _once_each(devices: "Literal['auto'] | list[Device]") -> "Literal['auto'] | list[Device]":
    names = [one.name for one in devices if isinstance(one, Device)]
    if twice := sorted({one for one in names if names.count(one) > 1}):
        raise ValueError(f"{', '.join(twice)} stands there twice; tell parts of one apart: cpu#1, cpu#2")
    return devices


class LocalSettings(Strict):
    """This machine."""

    kind: Literal["local"]
    devices: Annotated[
        Literal["auto"] | Annotated[list[Device], Field(min_length=1)],
        AfterValidator(_once_each),
        Field(description='auto, or a list: [{name: "cuda:0", memory: 24GB}]'),
    ] = "auto"
    jobs_per_device: Annotated[Count, Field(description=_COUNT)] = 1


class SlurmSettings(Strict):
    """A SLURM cluster with a shared file system."""

    kind: Literal["slurm"]
    partition: AnyWord = None
    account: AnyWord = None
    qos: AnyWord = None
    gres: Annotated[Word | None, Field(description="what sbatch takes (gpu:1), or null")] = "gpu:1"
    cpus: AnyCount = None
    memory: Annotated[
        Annotated[str, Field(pattern=r"^[0-9]+[KMGT]?$")] | None,
        Field(description="a size as SLURM writes it (16G), or null"),
    ] = None
    time: Annotated[Duration, Field(description="a time (90s, 30m, 8h)")] = "8h"
    at_once: AnyCount = None
    restarts: Restarts = 3
    options: list[Annotated[str, Field(pattern=r"^--[a-z-]+(=[A-Za-z0-9_.:=,@%+&|\[\]*/-]+)?$")]] = Field(
        default_factory=list, description='a list of words for sbatch (["--constraint=a100"])'
    )


class RaySettings(Strict):
    """A Ray cluster that runs already."""

    kind: Literal["ray"]
    address: Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f]+$", description="auto or host:6379")] = "auto"
    cpus: Processors = 1.0
    gpus: Annotated[
        Literal["auto"] | Annotated[float, Field(ge=0)], Field(description="auto, or a number from 0")
    ] = "auto"
    memory: Annotated[Size | None, Field(description=f"{_SIZE}, or null")] = None
    at_once: AnyCount = None
    restarts: Restarts = 3
    storage: Annotated[
        str,
        Field(
            pattern=r"^(shared|copy|[a-z][a-z0-9+]*://[^\x00-\x20\x7f]+)$",
            description="shared, copy, or a URL (s3://bucket/folder)",
        ),
    ] = "shared"


class ModalSettings(Strict):
    """Machines of Modal."""

    kind: Literal["modal"]
    app: Id = "ctexp"
    gpu: Annotated[Word | None, Field(description="a GPU that Modal has (A10G), or null")] = "A10G"
    cpus: Processors = 4.0
    memory: Annotated[Size, Field(description=_SIZE)] = "16GB"
    time: Annotated[Duration, Field(description="a time (90s, 30m, 8h)")] = "8h"
    at_once: Annotated[Count, Field(description=_COUNT)] = 4
    restarts: Restarts = 3
    volume: Id = "ctexp"


ExecutorSettings = LocalSettings | SlurmSettings | RaySettings | ModalSettings

KINDS: dict[str, type[ExecutorSettings]] = {
    "local": LocalSettings,
    "slurm": SlurmSettings,
    "ray": RaySettings,
    "modal": ModalSettings,
}


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
        there = f"{FOLDER} has {', '.join(known) or 'no file'}"
        near = did_you_mean(name, known)
        is_near = near.startswith("did")
        raise UsageError(
            f"--executor: {name!r} is none; {near if is_near else there}", there if is_near else ""
        )
    where = f"{FOLDER}/{name}.yaml"
    document = yaml_file.read_mapping(root / FOLDER / f"{name}.yaml", where)
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        wrong = mistakes.of_kind(document, list(KINDS))
        raise UsageError(f"{where}: {wrong}", f"docs/clusters.md tells what each is, {FOLDER} shows them")
    try:
        return KINDS[kind].model_validate(document)
    except ValidationError as error:
        raise UsageError(
            [f"{where}: {line}" for line in mistakes.told(error, document, KINDS[kind])],
            f"{FOLDER}/{kind}.yaml shows every key; one that is left out has its default",
        ) from error
