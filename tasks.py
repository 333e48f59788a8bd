"""The front door: one signature per verb. `inv --list` shows them, `inv --help VERB` explains one.

Nothing happens here: `verb` loads `ctexp.cli` when one is called.
"""

from invoke.context import Context

from ctexp.cli import frontdoor
from ctexp.cli.verb import verb

frontdoor.install()

JSON = {"json": "print the result as one JSON document on stdout"}
DEBUG = {"debug": "show the traceback of an error"}


@verb("quickstart:quickstart", help=JSON | DEBUG)
def quickstart(_: Context, json: bool = False, debug: bool = False) -> None:
    """Train a first classifier on synthetic images."""


@verb("doctor:doctor", help=JSON | DEBUG)
def doctor(_: Context, json: bool = False, debug: bool = False) -> None:
    """Check this machine, say what to do about each problem.

    GPU and driver, disk, git, data sets, tracker, shell tools, Python and what is installed.
    """


@verb(
    "data:phantom",
    help={"name": "what to call the set", "seed": "the seed that decides every image"} | JSON | DEBUG,
)
def data_phantom(
    _: Context, name: str = "phantom", seed: int = 42, json: bool = False, debug: bool = False
) -> None:
    """Make the synthetic, CT-like data set."""


@verb(
    "data:import_",
    positional=["path"],
    help={
        "path": "the folder or .zip, given bare",
        "name": "what to call the set: the data.name of a training",
        "metadata": "a table (CSV) of what is known of the images: image, patient, acquired, age, ...",
        "window": "lung, mediastinum or LEVEL,WIDTH: how DICOM and 16-bit values become grey",
        "exclude": "a text file of images to leave out, one a line: damaged or unwanted ones",
        "seed": "the seed of the split, where there is none yet",
    }
    | JSON
    | DEBUG,
)
def data_import(
    _: Context,
    path: str,
    name: str = "chest_ct",
    metadata: str | None = None,
    window: str | None = None,
    exclude: str | None = None,
    seed: int = 42,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Bring in a data set and audit it.

    PATH is a folder or .zip of images: <split>/<class>/, or <class>/ alone, which is split 70/15/15:

        inv data-import ~/Downloads/archive.zip --name chest_ct
        inv data-import scans --window lung --metadata patients.csv
    """


DATASET = {"dataset": "which imported set"}


@verb(
    "audit:audit",
    help=DATASET | {"allow-leakage": "exit 0 although splits leak into each other"} | JSON | DEBUG,
)
def data_audit(
    _: Context,
    dataset: str = "chest_ct",
    allow_leakage: bool = False,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Look for damage, copies, leaks, shortcuts and shifts."""


@verb(
    "split:split",
    help=DATASET
    | {
        "scheme": "official, clean, grouped, kfold or time",
        "folds": "how many folds (kfold)",
        "ratios": "the shares of train, val and test in percent (grouped, time)",
        "seed": "the seed of the division (grouped, kfold)",
    }
    | JSON
    | DEBUG,
)
def data_split(
    _: Context,
    dataset: str = "chest_ct",
    scheme: str = "clean",
    folds: int = 5,
    ratios: str = "70/15/15",
    seed: int = 42,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Divide a data set; training reads the file it writes."""


@verb(
    "features:extract",
    help=DATASET | {"split": "whose training images rank the features: auto or a scheme"} | JSON | DEBUG,
)
def extract_features(
    _: Context,
    dataset: str = "chest_ct",
    split: str = "auto",
    json: bool = False,
    debug: bool = False,
) -> None:
    """Measure and rank 50 radiomics features of every image."""


@verb("versions:pull", help={"dataset": "one set alone"} | JSON | DEBUG)
def data_pull(_: Context, dataset: str | None = None, json: bool = False, debug: bool = False) -> None:
    """Fetch this commit's data from the DVC remote."""


@verb("versions:push", help={"dataset": "one set alone"} | JSON | DEBUG)
def data_push(_: Context, dataset: str | None = None, json: bool = False, debug: bool = False) -> None:
    """Record data versions and push them to the DVC remote."""


@verb(
    "train:train",
    iterable=["override"],
    help={
        "override": "the same as a bare KEY=VALUE",
        "cfg": "print the resolved configuration and stop",
        "dry-run": "print the manifest and stop",
        "resume": "go on with an interrupted run: its id, a prefix of it, or latest",
        "yes": "train with uncommitted changes without being asked",
    }
    | JSON
    | DEBUG,
)
def train(
    _: Context,
    override: list[str] | None = None,
    cfg: bool = False,
    dry_run: bool = False,
    resume: str | None = None,
    yes: bool = False,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Train one model and write its record.

    Overrides stand bare, in Hydra's grammar; conf/ shows every choice:

        inv train model=resnet50 data.batch_size=32
        inv train data=phantom model=tiny_cnn trainer.max_epochs=3 --cfg
        inv train --resume latest
    """


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


@verb(
    "estimate:estimate",
    iterable=["override"],
    help={"override": "the same as a bare KEY=VALUE"} | JSON | DEBUG,
)
def estimate(_: Context, override: list[str] | None = None, json: bool = False, debug: bool = False) -> None:
    """Predict minutes, memory and disk of a training."""


@verb(
    "cross_validate:cross_validate",
    iterable=["override"],
    help={
        "override": "the same as a bare KEY=VALUE",
        "seeds": "how many seeds of each fold, counted up from seed",
        "resume": "go on with one: its id, a prefix of it, or latest",
        "yes": "train with uncommitted changes without being asked",
    }
    | JSON
    | DEBUG,
)
def cross_validate(
    _: Context,
    override: list[str] | None = None,
    seeds: int = 1,
    resume: str | None = None,
    yes: bool = False,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Train every fold and judge all images out of fold."""


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
    "prune:prune",
    help={
        "older_than": "only runs that ended so long ago: 7d, 12h",
        "keep": "runs of each run.name, best first, whose weights stay",
        "apply": "delete; without it only what would be deleted is told",
    }
    | JSON
    | DEBUG,
)
def prune(
    _: Context,
    older_than: str = "7d",
    keep: int = 1,
    apply: bool = False,
    json: bool = False,
    debug: bool = False,
) -> None:
    """Thin the checkpoints of old runs."""


@verb("tracking:wandb_sync", help={"run": "one run alone, instead of every offline one"} | JSON | DEBUG)
def wandb_sync(_: Context, run: str | None = None, json: bool = False, debug: bool = False) -> None:
    """Push runs tracked offline to Weights & Biases."""


@verb(
    "runs:runs",
    iterable=["tag"],
    help={
        "name": "only runs whose run.name has this in it",
        "tag": "only runs with this tag; may be repeated",
        "state": "only runs in this state: finished, interrupted, diverged, oom, timeout, failed, running",
        "sort": "started, duration, or a metric such as val/macro_f1",
        "limit": "how many at most; 0 for all",
    }
    | JSON
    | DEBUG,
)
def runs(
    _: Context,
    name: str | None = None,
    tag: list[str] | None = None,
    state: str | None = None,
    sort: str = "started",
    limit: int = 20,
    json: bool = False,
    debug: bool = False,
) -> None:
    """List the runs, newest first."""


@verb(
    "runs:show",
    positional=["run"],
    help={"run": "a run, a name, best, baseline, latest or a cross-validation, given bare"} | JSON | DEBUG,
)
def show(_: Context, run: str, json: bool = False, debug: bool = False) -> None:
    """Show one run or cross-validation: inv show RUN."""


@verb("dev:ruff", help={"check": "change nothing, say what would change"} | DEBUG)
def ruff(_: Context, check: bool = False, debug: bool = False) -> None:
    """Lint and format the code."""


@verb("dev:check", help={"relock": "first write the lock files anew from a fresh resolve"} | DEBUG)
def check(_: Context, relock: bool = False, debug: bool = False) -> None:
    """Check lint, format, types, imports, scripts and locks."""


@verb(
    "dev:test",
    name="test",
    help={"slow": "every test, the long ones too", "pytest": "more arguments for pytest, in quotes"} | DEBUG,
)
def run_tests(_: Context, slow: bool = False, pytest: str = "", debug: bool = False) -> None:
    """Run check and the fast tests, which is what CI runs."""
