"""What a run is worth."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import FINAL, LATEST, RUN, SPLIT, WINDOW


@verb(
    "evaluate:evaluate",
    positional=["run"],
    help=LATEST
    | FINAL
    | {
        "split": f"{SPLIT['split']}, or all",
        "prevalence": "the share of cancers at which PPV and NPV are told, 0 to 1; else conf/verdict.yaml",
    },
)
def evaluate(
    _: Context,
    run: str = "",
    split: str = "val",
    final: bool = False,
    prevalence: float | None = None,
    json: bool = False,
) -> None:
    """Evaluate best checkpoints on a split."""


@verb(
    "compare_baselines:compare_baselines",
    iterable=["candidate"],
    help=FINAL
    | {
        "baseline": f"{RUN['run']}; else the current baseline",
        "candidate": RUN["run"],
        "split": "val or test",
        "intersect": "compare on the images that all have judged, where the sets differ",
        "require": "better: exit 12 unless every candidate is, by the primary metric",
        "promote": "make the candidate the baseline, if all gates pass",
        "reason": "why, for research/decisions.jsonl",
    },
)
def compare_baselines(
    _: Context,
    candidate: list[str] | None = None,
    baseline: str = "baseline",
    split: str = "val",
    final: bool = False,
    intersect: bool = False,
    require: str | None = None,
    promote: bool = False,
    reason: str = "",
    json: bool = False,
) -> None:
    """Compare with a baseline: better, worse or undecided.

    inv compare-baselines --baseline resnet18 --candidate resnet50
    inv compare-baselines --candidate best --require better
    inv compare-baselines --candidate resnet50 --promote --reason "three seeds, all gates"
    """


@verb(
    "analyze_errors:analyze_errors",
    positional=["run"],
    help=LATEST | SPLIT | FINAL | {"explain": "images to explain with Grad-CAM, the worst first; 0 for none"},
)
def analyze_errors(
    _: Context,
    run: str = "latest",
    split: str = "val",
    final: bool = False,
    explain: int = 24,
    json: bool = False,
) -> None:
    """Say where a run is wrong, and what it looked at."""


@verb(
    "analyze_features:analyze",
    iterable=["run"],
    help={
        "run": f"{RUN['run']}; else the newest that was trained with features",
        "repeats": "permutations of each column",
    },
)
def analyze_features(_: Context, run: list[str] | None = None, repeats: int = 20, json: bool = False) -> None:
    """Rank the features that a run relies on."""


@verb(
    "report:report",
    iterable=["runs"],
    help={
        "runs": f"{RUN['run']}; else those since yesterday, else the latest",
        "queue": "the runs of a queue: its id or its beginning, a plan's name, or latest",
        "since": "the runs since then: yesterday, 8h, 3d, or a date",
        "baseline": f"{RUN['run']}; else the current baseline, else the first",
        "output": "where to write it; else runs/reports/",
        "csv": "write the tables as CSV files beside it",
    },
)
def report(
    _: Context,
    runs: list[str] | None = None,
    queue: str | None = None,
    since: str | None = None,
    baseline: str | None = None,
    output: str | None = None,
    csv: bool = False,
    json: bool = False,
) -> None:
    """Write one HTML page about runs, verdict first."""


@verb(
    "predict:predict",
    positional=["path"],
    help=LATEST
    | WINDOW
    | {
        "path": "an image, a DICOM file or a folder of them",
        "output": "where to write it, a .csv or .json file; else a table on stdout",
        "abstain-below": "give no class where the calibrated probability is lower, 0 to 1",
        "batch-size": "images at a time",
        "skip-unreadable": "go on without images that cannot be read, instead of writing nothing",
    },
)
def predict(
    _: Context,
    path: str,
    run: str = "latest",
    output: str | None = None,
    abstain_below: float = 0.0,
    window: str | None = None,
    batch_size: int = 64,
    skip_unreadable: bool = False,
    json: bool = False,
) -> None:
    """Classify new images: inv predict FOLDER."""


@verb(
    "export:export",
    positional=["run"],
    help=LATEST
    | {"format": "onnx or safetensors", "output": "where to write it, a new folder; else runs/exports/"},
)
def export(
    _: Context,
    run: str = "latest",
    format: str = "onnx",
    output: str | None = None,
    json: bool = False,
) -> None:
    """Export a checked network with a model card."""
