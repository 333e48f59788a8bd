"""What a run is, written before it trains (`manifest.json`), and one page for each of its starts."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from ctexp.record.documents import Document, Part, Scalar, Sha256, Text, UtcTime, printable
from ctexp.record.environment import Environment
from ctexp.record.git import PATCH, GitState
from ctexp.record.result import Deviation, Ended


class Grey(Part):
    """The grey levels of a split's images as they were imported, over all pixels, 0 to 255."""

    mean: float
    std: float


class DvcVersion(Part):
    """A data set's version, as `dvc.lock` records it.

    Attributes:
        raw: DVC's hash of the images' folder; null where no version is recorded.
        catalog: of the catalog file, likewise.
        reason: why no version is known; empty where it is.
    """

    raw: str | None = None
    catalog: str | None = None
    reason: Text = ""


class Dataset(Part):
    """The images a run learned from and was judged on.

    Attributes:
        catalog_sha256: of the catalog file: it names every image by content.
        dvc: its version; null in records from before data sets had one.
        split: the scheme, for example `official`.
        fold: which one is val; null where the scheme has no folds.
        sample: so many images of each split at most were used, for trying things out; null for all.
        split_sha256: of the split's text, which says where every image is; null in records from before there
            were split files.
        rows: images per split and class, `rows["train"]["normal"]`.
        left_out: images that are in none of the splits, by the split they officially are of.
        split_shares: of all images that are used, per split.
        class_shares: of a split's images, per split and class; none for an empty split.
        grey: of the pixels, per split that is not empty.
        leaks: where training saw something of what it is judged on, one line each; null in records from
            before they were told apart.
        warnings: what makes figures on these splits flatter, or mean little; one line each, leaks included.
        synthetic: whether a program drew the images; they show no patient then.
    """

    name: str
    catalog_sha256: Sha256
    dvc: DvcVersion | None = None
    split: str
    fold: int | None = Field(default=None, ge=0)
    sample: int | None = Field(default=None, ge=1)
    split_sha256: Sha256 | None = None
    rows: dict[str, dict[str, int]]
    left_out: dict[str, int] = Field(default_factory=dict)
    split_shares: dict[str, float] = Field(default_factory=dict)
    class_shares: dict[str, dict[str, float]] = Field(default_factory=dict)
    grey: dict[str, Grey] = Field(default_factory=dict)
    leaks: tuple[Text, ...] | None = None
    warnings: tuple[Text, ...] = ()
    synthetic: bool = False


class Model(Part):
    """The network.

    Attributes:
        parameters: how many numbers it learns or keeps.
    """

    name: str
    parameters: int


class Weights(Part):
    """Where the network's first weights came from.

    Attributes:
        source: `random`, a hub's name for them, or a file.
        sha256: of the weights' file; null for random ones only.
    """

    source: Text
    sha256: Sha256 | None = None


class Tracker(Part):
    """The experiment trackers of one attempt.

    Attributes:
        kind: `wandb`, `mlflow`, `tensorboard`, `comet`, `csv` or `none`.
        also: the other trackers, where there are several.
        run_id: what they all know the attempt by.
        mode: of W&B, `offline` or `online`; null where W&B is none of them.
        url: of MLflow's store; null where that is none of them, or embedded.
    """

    kind: str
    also: tuple[str, ...] = ()
    run_id: str | None = None
    mode: str | None = None
    url: str | None = None


class Estimate(Part):
    """What a run was expected to cost; `result.json`, `history.csv` and the directory say what it did cost.

    What half of such runs stay below, and with `_p90` what nine of ten do. In records from before runs were
    estimated so, everything but `seconds` and `basis` is null.

    Attributes:
        seconds: from the first line of its record to the last, as `duration_seconds` counts them.
        memory_bytes: the peak on the GPU, or of the process where there is none.
        disk_bytes: of the run directory.
        largest_micro_batch: the most images at a time that would fit into memory; null where not measured.
        epochs: how many `seconds` counts on; `seconds_p90` counts all.
        epoch_seconds: what one of them costs.
        source: whether earlier runs or steps of this one were looked at.
        basis: the same in a few words.
    """

    seconds: float = Field(ge=0)
    seconds_p90: float | None = Field(default=None, ge=0)
    memory_bytes: int | None = Field(default=None, ge=0)
    memory_bytes_p90: int | None = Field(default=None, ge=0)
    disk_bytes: int | None = Field(default=None, ge=0)
    disk_bytes_p90: int | None = Field(default=None, ge=0)
    largest_micro_batch: int | None = Field(default=None, ge=0)
    epochs: float | None = Field(default=None, ge=0)
    epoch_seconds: float | None = Field(default=None, ge=0)
    source: Literal["history", "measured"] | None = None
    basis: Text = ""


class Origin(Part):
    """Who asked for the run; all null where a person did.

    Attributes:
        parent: the cross-validation or sweep it belongs to.
    """

    plan: Text | None = None
    queue: Text | None = None
    job: Text | None = None
    parent: Text | None = None

    @classmethod
    def of(cls, variables: Mapping[str, str], parent: str | None = None) -> Self:
        """What `CTEXP_PLAN`, `CTEXP_QUEUE` and `CTEXP_JOB` say; empty ones say nothing."""
        plan, queue, job = (variables.get(f"CTEXP_{name}") or None for name in ("PLAN", "QUEUE", "JOB"))
        return cls(plan=plan, queue=queue, job=job, parent=parent)


class Manifest(Document):
    """The first attempt of a run, as it was about to begin.

    Attributes:
        name: `run.name`, shared by the seeds of one experiment.
        argv: the words of the command as this process got them.
        command: the same to copy and paste in the project's folder.
        overrides: what the user changed, as typed.
        config_sha256: of the resolved configuration; equal for equal runs.
        preprocessing: how an image becomes the network's input.
        features: the measured ones beside the image: which columns, how they were chosen, of what table, and
            how they were standardised; null for a network that looks at the image alone.
        hyperparameters: the few that tell runs apart; `config.yaml` has all.
        device: what it computes on; null in records from before it was noted.
        workload: the choices that decide the cost of an image: see `config.workload`; empty likewise.
    """

    run_id: str
    name: str
    description: Text = ""
    tags: tuple[Text, ...] = ()
    created: UtcTime
    argv: tuple[Text, ...]
    command: Text
    git: GitState
    seed: int
    overrides: tuple[Text, ...]
    config_sha256: Sha256
    dataset: Dataset
    environment: Environment
    preprocessing: dict[str, JsonValue]
    features: dict[str, JsonValue] | None = None
    model: Model
    weights: Weights
    hyperparameters: dict[str, Scalar]
    device: Text | None = None
    workload: dict[str, Scalar] = Field(default_factory=dict)
    tracker: Tracker
    estimate: Estimate | None = None
    origin: Origin = Origin()


class Checkpoint(Part):
    """The place in training that a checkpoint holds: whole epochs done, optimizer steps done."""

    epoch: int
    step: int


class Attempt(Document):
    """One start of a run, `attempts/<number>.json`; its end is filled in when it is observed.

    Attributes:
        resumed_from: where it went on; null for a fresh start.
        end: null while it runs, and for ever after a kill that nobody could observe.
        ended: why it ended.
        duration_seconds: by a clock that nobody sets.
        deviations: from the configuration, in this start.
        devices: on how many it computes each step.
    """

    run_id: str
    number: int = Field(ge=1)
    argv: tuple[Text, ...]
    git: GitState
    environment: Environment
    tracker: Tracker
    resumed_from: Checkpoint | None = None
    begin: UtcTime
    end: UtcTime | None = None
    ended: Ended | None = None
    exit_code: int | None = None
    duration_seconds: float | None = Field(default=None, ge=0)
    deviations: tuple[Deviation, ...] = ()
    devices: int = Field(default=1, ge=1)

    @field_validator("git")
    @classmethod
    def _name_its_own_patch(cls, git: GitState, info: ValidationInfo) -> GitState:
        patch = patch_name(info.data.get("number", 1)) if git.patch else None
        return git.model_copy(update={"patch": patch})


def patch_name(attempt: int) -> str:
    """Where the uncommitted change of an attempt lies in the run directory: the first one's stands on top."""
    return PATCH if attempt == 1 else f"attempts/{attempt}.{PATCH}"


def flag_words(flags: Mapping[str, object]) -> list[str]:
    """The words of flags: none of one that is None or False, the flag alone of one that is True."""
    given = {flag: value for flag, value in flags.items() if value is not None and value is not False}
    return [flag if value is True else f"{flag}={value}" for flag, value in given.items()]


def command_line(verb: str, arguments: Sequence[str]) -> str:
    """The command to paste into a shell, in the project's folder: `scripts/inv train model=resnet50`.

    Args:
        verb: the task's name.
        arguments: its words, overrides and flags, as the program got them; the shell will give them back
            unchanged, whatever spaces, quotes or brackets they hold.
    """
    return printable(shlex.join(("scripts/inv", verb, *arguments)))
