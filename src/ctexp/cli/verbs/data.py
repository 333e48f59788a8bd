"""What goes in: images, their audit, splits and features."""

from invoke.context import Context

from ctexp.cli.verb import verb
from ctexp.cli.verbs.flags import DATASET, WINDOW


@verb(
    "data:phantom",
    help={"name": "what to call the set", "seed": "the seed that decides every image"},
)
def data_phantom(_: Context, name: str = "phantom", seed: int = 42, json: bool = False) -> None:
    """Make the synthetic, CT-like data set."""


@verb(
    "data:import_",
    positional=["path"],
    help=WINDOW
    | {
        "path": "the folder or .zip",
        "name": "what to call the set: the data.name of a training",
        "metadata": "a table (CSV) of what is known of the images: image, patient, acquired, age, ...",
        "exclude": "a text file of images to leave out, one a line: damaged or unwanted ones",
        "seed": "the seed of the split, where there is none yet",
    },
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
) -> None:
    """Bring in a data set and audit it.

    PATH is a folder or .zip of images: <split>/<class>/, or <class>/ alone, which is split 70/15/15:

        inv data-import ~/Downloads/archive.zip --name chest_ct
        inv data-import scans --window lung --metadata patients.csv
    """


@verb("audit:audit", help=DATASET | {"allow-leakage": "exit 0 although splits leak into each other"})
def data_audit(
    _: Context, dataset: str = "chest_ct", allow_leakage: bool = False, json: bool = False
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
    },
)
def data_split(
    _: Context,
    dataset: str = "chest_ct",
    scheme: str = "clean",
    folds: int = 5,
    ratios: str = "70/15/15",
    seed: int = 42,
    json: bool = False,
) -> None:
    """Divide a data set; training reads the file it writes."""


@verb(
    "features:extract",
    help=DATASET | {"split": "whose training images rank the features: auto or a scheme"},
)
def extract_features(_: Context, dataset: str = "chest_ct", split: str = "auto", json: bool = False) -> None:
    """Measure and rank 50 radiomics features of every image."""


@verb("versions:pull", help={"dataset": "which imported set; else all"})
def data_pull(_: Context, dataset: str | None = None, json: bool = False) -> None:
    """Fetch this commit's data from the DVC remote."""


@verb("versions:push", help={"dataset": "which imported set; else all"})
def data_push(_: Context, dataset: str | None = None, json: bool = False) -> None:
    """Record data versions and push them to the DVC remote."""


@verb("versions:delta", positional=["table"], help=DATASET | {"table": "its folder, or its URL"})
def data_delta(_: Context, table: str, dataset: str = "chest_ct", json: bool = False) -> None:
    """Keep a catalog as a Delta table as well.

    A change of the catalog makes a new version of the table; each version names its catalog's SHA-256:

        inv data-delta data/delta/chest_ct
        inv data-delta s3://bucket/phantom --dataset phantom
    """
