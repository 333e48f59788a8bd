"""Seconds to audit 1,000 and 10,000 images, what of it goes into copies, and how the cost of an image grows.

    .venv/bin/python -m benchmarks.audit

The 1,000 are synthetic CT slices. The 10,000 are these, and nine times each of them bent smoothly, by some
two pixels in a hundred, with fresh noise: so all differ, are as much alike as slices of one patient, and are
no copies. All are files of usual sizes, imported, and read from the page cache.

    signing      decode each file and make its signature, on all cores
    pair search  from the signatures to the pairs of copies
    audit        all of it: also files, statistics, shortcuts, shift

Prints medians and spreads over the rounds, the cost of an image, and the ratio of the costs. Preparing takes
some minutes and a gigabyte of temporary files.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.aims import told
from ctexp.core.classes import CLASSES
from ctexp.data.audit.run import audit
from ctexp.data.catalog import Catalog
from ctexp.data.duplicates.find import Pair, find_pairs
from ctexp.data.duplicates.signature import Signature, sign
from ctexp.data.images import inspect
from ctexp.data.intake.importer import import_dataset
from ctexp.data.parallel import each
from ctexp.data.phantom.dataset import generate

COUNTS = {
    "train": dict.fromkeys(CLASSES, 150),
    "valid": dict.fromkeys(CLASSES, 40),
    "test": dict.fromkeys(CLASSES, 60),
}
BENT = 9
BEND = 0.03  # standard deviation of the shift, as a part of the side
ROUNDS = 3
AIM_SECONDS = 20


def bend(file: Path) -> None:
    """Write `BENT` pictures like this one beside it."""
    rng = np.random.default_rng(list(file.name.encode()))
    with Image.open(file) as image:
        grey = np.array(image.convert("L"))
    height, width = grey.shape
    y, x = np.indices((height, width), np.float32)
    for number in range(BENT):
        # Coarse random shifts, smoothly interpolated.
        shifts = cv2.resize(rng.normal(0, BEND, (5, 5, 2)), (width, height), interpolation=cv2.INTER_CUBIC)
        across, down = np.moveaxis((shifts * (width, height)).astype(np.float32), 2, 0)
        bent = cv2.remap(grey, x + across, y + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        noisy = np.clip(bent + rng.normal(0, 6, bent.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(file.with_name(f"{file.stem}~{number}.png"), compress_level=1)


def signed(catalog: Catalog) -> list[Signature]:
    """The signatures of all images."""

    def one(path: str) -> Signature:
        facts, grey = inspect(catalog.raw / path)
        return sign(grey, facts.pixels)

    return each(one, [row.path for row in catalog.rows])


def searched(catalog: Catalog, signatures: list[Signature]) -> list[Pair]:
    """The pairs of copies."""
    return find_pairs([row.sha256 for row in catalog.rows], signatures)


def seconds(work: Callable[[], object]) -> list[float]:
    """How long it takes, several times."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return taken


def measure(catalog: Catalog) -> dict[str, list[float]]:
    """Seconds of each part."""
    signatures = signed(catalog)
    pairs = searched(catalog, signatures)
    print(f"{len(catalog.rows):,} images, {len(pairs)} pairs of copies", flush=True)
    return {
        "signing": seconds(partial(signed, catalog)),
        "pair search": seconds(partial(searched, catalog, signatures)),
        "audit": seconds(partial(audit, catalog)),
    }


def main() -> None:
    """Prepare, measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, data_dir = Path(temporary) / "Data", Path(temporary) / "data"
        generate(folder, COUNTS, seed=7)
        few = import_dataset(folder, "few", data_dir, seed=1).catalog
        each(bend, sorted(folder.glob("*/*/*")))
        many = import_dataset(folder, "many", data_dir, seed=1).catalog
        print(f"{len(os.sched_getaffinity(0))} cores, {ROUNDS} rounds")
        measured = [(len(catalog.rows), measure(catalog)) for catalog in (few, many)]
    for part in measured[0][1]:
        costs = []
        for images, parts in measured:
            taken = sorted(parts[part])
            costs.append(statistics.median(taken) / images)
            print(
                f"{part:<12}{images:>7,} images{statistics.median(taken):8.2f} s  "
                f"({taken[0]:.2f} to {taken[-1]:.2f}){1e3 * costs[-1]:7.2f} ms an image"
            )
        print(
            f"{part:<12}cost of an image at {measured[1][0]:,} to that at {measured[0][0]:,}: "
            f"{costs[1] / costs[0]:.2f}"
        )
    told(
        f"audit of {measured[0][0]:,} images",
        statistics.median(measured[0][1]["audit"]),
        "s",
        AIM_SECONDS,
        "at most",
    )


if __name__ == "__main__":
    main()
