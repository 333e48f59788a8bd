"""What a run is worth."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import DEBUG, JSON


@verb(
    "evaluate:evaluate",
    help={
        "run": "a run, a name (all its seeds), best, baseline or latest, which it is without the flag",
        "split": "train, val, test or all",
        "final": "open the sealed test split; the look is counted in research/test_ledger.jsonl",
        "prevalence": "the share of cancers at which PPV and NPV are told, 0 to 1; else conf/verdict.yaml",
    }
    | JSON
    | DEBUG,
)
def evaluate(
    _: Context,
    run: str | None = None,
    split: str = "val",
    final: bool = False,
    prevalence: float | None = None,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Evaluate best checkpoints on a split."""


@verb(
    "compare_baselines:compare_baselines",
    iterable=["candidate"],
    help={
        "baseline": "a run, a name (all its seeds), best or a cross-validation; else the current one",
        "candidate": "the same; given again for each more: --candidate B --candidate C",
        "split": "val or test",
        "final": "for --split test: open it; the look is counted in research/test_ledger.jsonl",
        "intersect": "compare on the images that all have judged, where the sets differ",
        "require": "better: exit 12 unless every candidate is, by the primary metric",
        "promote": "make the candidate the baseline, if all gates pass",
        "reason": "why, for research/decisions.jsonl",
    }
    | JSON
    | DEBUG,
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
    debug: bool = False,
) -> None:
    """Compare with a baseline: better, worse or undecided.

    inv compare-baselines --baseline resnet18 --candidate resnet50
    inv compare-baselines --candidate best --require better
    inv compare-baselines --candidate resnet50 --promote --reason "three seeds, all gates"
    """


@verb(
    "analyze_errors:analyze_errors",
    help={
        "run": "a run, a name (all its seeds), best, latest, or a cross-validation",
        "split": "train, val or test",
        "final": "for --split test: open it; the look is counted in research/test_ledger.jsonl",
        "explain": "images to explain with Grad-CAM, the worst first; 0 for none",
    }
    | JSON
    | DEBUG,
)
def analyze_errors(
    _: Context,
    run: str = "latest",
    split: str = "val",
    final: bool = False,
    explain: int = 24,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Say where a run is wrong, and what it looked at."""


@verb(
    "analyze_features:analyze",
    iterable=["run"],
    help={
        "run": "a run with features; repeated for several seeds of one experiment",
        "repeats": "permutations of each column",
    }
    | JSON
    | DEBUG,
)
def analyze_features(
    _: Context, run: list[str] | None = None, repeats: int = 20, json: bool = False, debug: bool = False
) -> None:
    """Rank the features that a run relies on."""


@verb(
    "report:report",
    iterable=["runs"],
    help={
        "runs": "a run, a name or a cross-validation; may be given again",
        "queue": "the runs of a queue",
        "since": "the runs since then: yesterday, 8h, 3d, or a date",
        "baseline": "what the others are compared with; else the current baseline, else the first",
        "output": "where to write it; else runs/reports/",
        "csv": "write the tables as CSV files beside it",
    }
    | JSON
    | DEBUG,
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
    debug: bool = False,
) -> None:
    """Write one HTML page about runs, verdict first."""


@verb(
    "predict:predict",
    positional=["path"],
    help={
        "path": "an image, a DICOM file or a folder of them, given bare",
        "run": "a run, best, baseline, latest, or a cross-validation (its ensemble)",
        "output": "a .csv or .json file to write; else a table on stdout",
        "abstain-below": "give no class where the calibrated probability is lower, 0 to 1",
        "window": "lung, mediastinum or LEVEL,WIDTH: how DICOM and 16-bit values become grey",
        "batch-size": "images at a time",
        "skip-unreadable": "go on without images that cannot be read, instead of writing nothing",
    }
    | JSON
    | DEBUG,
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
    debug: bool = False,
) -> None:
    """Classify new images: inv predict FOLDER."""


@verb(
    "export:export",
    help={
        "run": "a run, best, baseline or latest",
        "format": "onnx or safetensors",
        "output": "the folder to make; else runs/exports/",
    }
    | JSON
    | DEBUG,
)
def export(
    _: Context,
    run: str = "latest",
    format: str = "onnx",
    output: str | None = None,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Export a checked network with a model card."""
