"""What a project has to beat: `research/baselines.yaml` names the runs, and what they had beaten.

The file is committed, and written by `compare-baselines --promote` alone. `prune` spares every run whose id
stands in it, those of earlier baselines too.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ctexp.core import files, yaml_file
from ctexp.core.errors import DataError, UsageError
from ctexp.core.paths import baselines_file, shown
from ctexp.record.documents import Part, Text, UtcTime

_HEADER = """\
# What candidates are compared with. Written by: inv compare-baselines --candidate NAME --promote
# inv prune spares the weights of every run that is named here.
"""


class Baseline(Part):
    """One baseline.

    Attributes:
        title: what to call it: a run's id, a name, a cross-validation's id.
        runs: the ids of its runs; of a cross-validation, those of its folds.
        folder: its checkpoint, configuration and model card, relative to the project.
        promoted: when.
        command: by what, to copy and paste in the project's folder.
        over: the title of what it was compared with.
        split: of the images they were compared on.
        metric: what decided, without its split.
        value: of the metric.
        difference: to that of what it was compared with.
        difference_low: the lower end of the difference's 95 % interval; null where there was none.
        difference_high: the upper end, likewise.
        reason: why.
    """

    title: Text
    kind: Literal["run", "name", "cross-validation"]
    runs: tuple[Text, ...] = Field(min_length=1)
    folder: Text
    promoted: UtcTime
    command: Text
    over: Text
    split: Text
    metric: Text
    value: float
    difference: float
    difference_low: float | None = None
    difference_high: float | None = None
    reason: Text = ""


class Baselines(Part):
    """The file: the baseline of today, and those before it, newest first."""

    current: Baseline | None = None
    earlier: tuple[Baseline, ...] = ()

    def then(self, baseline: Baseline) -> "Baselines":
        """The same with a new one, which the old one stands behind."""
        before = (self.current,) if self.current else ()
        return Baselines(current=baseline, earlier=(*before, *self.earlier))


def read(root: Path) -> Baselines:
    """What a project's file says; nothing where there is none.

    Raises:
        DataError: it is damaged; every problem a line.
    """
    file = baselines_file(root)
    if not file.exists():
        return Baselines()
    name = shown(file)
    way = f"put it right, or bring the last commit's back: git checkout -- {name}"
    try:
        document = yaml_file.read_mapping(file, name)
        return Baselines.model_validate(document, strict=False)
    except UsageError as error:
        raise DataError(error.problems, way) from error
    except ValidationError as error:
        problems = [
            f"{name}: {'.'.join(str(step) for step in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise DataError(problems, way) from error


def current(root: Path) -> Baseline | None:
    """The baseline of today; None where none was ever set.

    Raises:
        DataError: the file is damaged.
    """
    return read(root).current


def write(root: Path, baselines: Baselines) -> None:
    """Replace the file atomically.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    document = baselines.model_dump(mode="json")
    files.write_text(baselines_file(root), _HEADER + yaml_file.dump(document))
