import itertools
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.core.errors import StorageError
from ctexp.data.formats.picture import MARK
from ctexp.data.phantom.dataset import DEFAULT_COUNTS, LONG_FOLDERS, generate
from ctexp.data.phantom.image import draw

COUNTS = {
    "train": dict.fromkeys(CLASSES, 4),
    "valid": dict.fromkeys(CLASSES, 2),
    "test": dict.fromkeys(CLASSES, 2),
}
TOTAL = 32


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "Data"
    steps: list[tuple[int, int]] = []
    generate(folder, COUNTS, seed=42, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(done, TOTAL) for done in range(1, TOTAL + 1)]
    return folder


@pytest.fixture(scope="module")
def pictures(made: Path) -> dict[Path, Image.Image]:
    return {path: Image.open(path) for path in sorted(made.rglob("*.*g"))}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def grey(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("L"))


def test_the_layout_is_that_of_the_kaggle_set(made: Path) -> None:
    found = {str(path.relative_to(made)): len(list(path.iterdir())) for path in made.glob("*/*")}

    short = ("adenocarcinoma", "large.cell.carcinoma", "squamous.cell.carcinoma", "normal")
    assert found == {
        **{f"train/{folder}": 4 for folder in LONG_FOLDERS.values()},
        **{f"valid/{folder}": 2 for folder in LONG_FOLDERS.values()},
        **{f"test/{folder}": 2 for folder in short},
    }
    assert "adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib" in LONG_FOLDERS.values()


def test_names_types_modes_and_sizes_are_as_odd_as_there(pictures: dict[Path, Image.Image]) -> None:
    names = [path.name for path in pictures]
    assert len(names) == len(set(names)) == TOTAL
    assert sum(bool(re.fullmatch(r"\d{6} \(\d\)\.(png|jpg)", name)) for name in names) > TOTAL // 4
    assert any(" - Copy" in name for name in names)
    assert {path.suffix for path in pictures} == {".png", ".jpg"}
    assert {picture.mode for picture in pictures.values()} == {"RGBA", "RGB", "L", "P"}
    widths, heights = np.array([picture.size for picture in pictures.values()]).T
    assert 350 < np.median(widths) < 520
    assert 240 < np.median(heights) < 380
    assert widths.min() < 300
    assert widths.max() > 600


def test_every_file_says_that_it_is_synthetic(pictures: dict[Path, Image.Image]) -> None:
    for path, picture in pictures.items():
        said = picture.info["comment"].decode() if path.suffix == ".jpg" else picture.info["Description"]
        assert said == MARK


def test_every_mode_shows_the_drawn_grey_levels(pictures: dict[Path, Image.Image]) -> None:
    for picture in pictures.values():
        if picture.mode == "RGBA":
            assert picture.getchannel("A").getextrema() == (255, 255)
        coloured = np.asarray(picture.convert("RGB")).astype(int)
        assert np.ptp(coloured, axis=2).max() == 0
        assert grey(picture).std() > 30


def test_one_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    counts = {"train": {"adenocarcinoma": 1}}
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        generate(tmp_path / name, counts, seed)

    first, second, other = (contents(tmp_path / name) for name in "abc")

    assert first == second
    assert not set(first.values()) & set(other.values())


def test_an_image_depends_on_class_seed_and_number_alone(pictures: dict[Path, Image.Image]) -> None:
    for name in CLASSES:
        folder = LONG_FOLDERS[name]
        path = next(path for path in pictures if path.parent.name == folder and path.suffix == ".png")
        number = int(re.findall(r"\d+", path.name)[0])

        np.testing.assert_array_equal(draw(name, 42, number), grey(pictures[path]))


def test_no_worker_outlives_a_killed_command(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from ctexp.data.phantom.dataset import generate; "
        "generate(pathlib.Path(sys.argv[1]), {'train': {'normal': 1000}}, 1, lambda *_: print(1, flush=True))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "Data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()

    assert family
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_it_is_never_mixed_into_a_folder_that_exists(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(StorageError, match="in the way"):
        generate(tmp_path, {"train": {"normal": 1}})

    assert contents(tmp_path) == {"mine.txt": b"mine"}


def test_a_class_that_does_not_exist_is_no_silent_normal() -> None:
    with pytest.raises(KeyError):
        draw("adenocarcinom", 1, 1)


def test_no_two_images_look_alike(pictures: dict[Path, Image.Image]) -> None:
    def difference_hash(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        small = cv2.resize(image, (17, 16), interpolation=cv2.INTER_AREA)
        return (small[:, 1:] > small[:, :-1]).ravel()

    images = [grey(picture) for picture in pictures.values()]
    hashes = [difference_hash(image) for image in images]
    small = [cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA).ravel() for image in images]
    correlation = np.atleast_2d(np.corrcoef(small))

    assert min(int((one != two).sum()) for one, two in itertools.combinations(hashes, 2)) > 25
    assert correlation[np.triu_indices(TOTAL, 1)].max() < 0.9


def test_only_the_tumour_tells_the_class() -> None:
    for index in (1, 2):
        images = {name: draw(name, 9, index).astype(int) for name in CLASSES}

        assert len({image.shape for image in images.values()}) == 1
        for name in CLASSES[:3]:
            changed = np.abs(images[name] - images["normal"]) > 40
            assert 0.001 < changed.mean() < 0.2
            # Framing says nothing: no difference near the picture's edge.
            changed[12:-12, 12:-12] = False
            assert changed.mean() < 0.001


def test_the_default_set_is_big_enough_to_validate_on() -> None:
    assert list(DEFAULT_COUNTS) == ["train", "valid", "test"]
    for classes in DEFAULT_COUNTS.values():
        assert tuple(classes) == CLASSES
        assert min(classes.values()) >= 10
