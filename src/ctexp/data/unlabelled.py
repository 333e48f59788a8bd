"""Images of no data set: found wherever they lie, and read as a data set's own are.

What is read of a folder is what an import would take for an image: by the suffix of a picture or of DICOM, or
by DICOM's mark inside a file without one. A file that is named by itself is read by its content, whatever its
name.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctexp.core.errors import DataError
from ctexp.core.files import sha256_bytes
from ctexp.data import catalog, windows
from ctexp.data.images import decode, read_content
from ctexp.data.intake.layout import SUFFIXES, is_dicom, is_dropping, is_plain, printable
from ctexp.data.resize import Resize, to_square


@dataclass(frozen=True)
class Found:
    """The images below a folder.

    Attributes:
        folder: what the names are relative to.
        names: of the images, with `/` between folders, in order.
        passed_over: what else lies there, but for what file managers leave behind.
    """

    folder: Path
    names: tuple[str, ...]
    passed_over: tuple[str, ...] = ()


def find(path: Path) -> Found:
    """The images that a path means: itself, or all that lie in it at any depth.

    Raises:
        DataError: there is no such thing, a folder cannot be listed, a name does not fit into a line of text,
            or no image is there.
    """
    try:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder", "name an image, or a folder of images")
        found = _below(path) if path.is_dir() else Found(path.parent, (path.name,))
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be looked at ({error.strerror})") from error
    unfit = [
        f"{name!a}: control or undecodable characters in the name"
        for name in found.names
        if not is_plain(name)
    ]
    if unfit:
        raise DataError(unfit, "rename it" if len(unfit) == 1 else "rename them")
    if not found.names:
        raise DataError(
            f"{path}: holds no PNG, JPEG, TIFF or DICOM image",
            "name the folder that does; an image of another name is read when it is named by itself",
        )
    return found


def _below(folder: Path) -> Found:
    names: list[str] = []
    passed_over: list[str] = []
    for file in _files(folder):
        name = file.relative_to(folder).as_posix()
        image = file.is_file() and (file.suffix.lower() in SUFFIXES or is_dicom(file))
        (names if image else passed_over).append(name)
    return Found(folder, tuple(sorted(names)), tuple(sorted(map(printable, passed_over))))


def _files(folder: Path) -> Iterator[Path]:
    """Everything below a folder but folders; links to such are not entered."""

    def refuse(error: OSError) -> None:
        raise error

    for here, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not is_dropping(name)]
        links = [name for name in folders if Path(here, name).is_symlink()]
        yield from (Path(here, name) for name in (*files, *links) if not is_dropping(name))


@dataclass(frozen=True)
class Image:
    """One image, as a network takes it.

    Attributes:
        sha256: of the file.
        square: grey levels, (size, size).
        measured: its fifty features (50,); None where nobody asked for them.
    """

    sha256: str
    square: NDArray[np.uint8]
    measured: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Reader:
    """Reads one image after the other as a training's own are read; a process can take it along.

    Attributes:
        folder: what names are relative to.
        size: the side of the square, in pixels.
        resize: how to get there.
        window: how DICOM and values of more than 8 bits become grey; empty refuses them.
        measure: whether the fifty features are wanted too; they are measured before resizing.
    """

    folder: Path
    size: int
    resize: Resize
    window: str = ""
    measure: bool = False

    def __call__(self, name: str) -> Image | DataError:
        """The image, or why it cannot be read: one bad file need not end the work on all."""
        try:
            content = read_content(self.folder / name, name)
            grey = decode(content, name, self.window)
        except DataError as error:
            return error
        measured = None
        if self.measure:
            from ctexp.data.radiomics.columns import measure  # takes 1 s, and most networks need none

            measured, _ = measure(grey)
        return Image(sha256_bytes(content), to_square(grey, self.size, self.resize), measured)


def window_of_set(data_dir: Path, name: str, sha256: str) -> str:
    """The window that made all of a data set's images grey; empty where there was none, or several.

    One that has a name is given back by it, since it fits nothing but Hounsfield units.

    Of another catalog than that of `sha256`, or a damaged one, it is not known either.
    """
    try:
        known = catalog.read(data_dir, name)
    except DataError:
        return ""
    used = {row.window for row in known.rows if row.window}
    if known.sha256 != sha256 or len(used) != 1:
        return ""
    (window,) = used
    return next((title for title, its in windows.NAMED.items() if str(its) == window), window)
