"""Seconds to build the cache of 1,000 images, against one epoch of ImageFolder over the same files.

    .venv/bin/python -m benchmarks.cache_build

Ours reads, hashes, verifies, decodes and resizes every file and writes a new cache to disk. ImageFolder's
epoch (grey, resized to 224 pixels, flipped, rotated, normalised) has a DataLoader with 2 workers, which are
warm and have one thread of torch each. In alternation, on files in the page cache. Prints medians and spreads
over the rounds, and the ratio within a round.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from torchvision import transforms

from benchmarks.aims import told
from benchmarks.image_folder import SIDE, loader, make_files
from ctexp.data.cache import ImageCache
from ctexp.data.catalog import ImageRow

IMAGES = 1000
ROUNDS = 7
AIM = 1


def build(raw: Path, rows: list[ImageRow]) -> float:
    """Seconds for a cache that was not there."""
    with tempfile.TemporaryDirectory(dir=raw.parent) as temporary:
        began = time.perf_counter()
        ImageCache.open(Path(temporary), raw, rows, SIDE, "stretch")
        return time.perf_counter() - began


def epoch(batches: Iterable[object]) -> float:
    """Seconds for one pass."""
    began = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - began


def main() -> None:
    """Measure in alternation and print."""
    with tempfile.TemporaryDirectory() as temporary:
        raw = Path(temporary) / "raw"
        rows = make_files(raw, IMAGES)
        steps = [
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(10, transforms.InterpolationMode.BILINEAR),
        ]
        peer = loader(raw, steps, 2)
        epoch(peer)
        seconds = [(build(raw, rows), epoch(peer)) for _ in range(ROUNDS)]
    print(f"{len(os.sched_getaffinity(0))} cores, {IMAGES:,} images, {ROUNDS} rounds")
    for name, column in (("cache built", 0), ("ImageFolder's epoch", 1)):
        values = sorted(row[column] for row in seconds)
        print(f"{name:<22}{statistics.median(values):6.2f} s  ({values[0]:.2f} to {values[-1]:.2f})")
    ratios = sorted(ours / theirs for ours, theirs in seconds)
    print(f"{'ratio':<22}{statistics.median(ratios):6.2f}    ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    told("cache of 1,000 images / an epoch of ImageFolder", statistics.median(ratios), "", AIM, "at most")


if __name__ == "__main__":
    main()
