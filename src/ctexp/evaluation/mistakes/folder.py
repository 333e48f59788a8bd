"""`runs/errors/<title>_<split>/`: the document, the page and the pictures, put in place together.

errors.json     the document
errors.html     the page, its pictures in it
001.jpg ...     the same pictures as files
"""

from collections.abc import Mapping
from pathlib import Path

from ctexp.core import files, folders
from ctexp.core.locks import FileLock
from ctexp.evaluation.mistakes.document import Mistakes
from ctexp.evaluation.mistakes.page import render

FOLDER = "errors"
"""Where they lie, below the folder of all runs."""

DOCUMENT, PAGE = "errors.json", "errors.html"


def folder_of(runs: Path, title: str, split: str) -> Path:
    """Where the mistakes of a subject on a split are written."""
    return runs / FOLDER / f"{title}_{split}"


def write(folder: Path, found: Mistakes, pictures: Mapping[str, bytes]) -> None:
    """Replace a folder; whoever reads it sees all of the old or all of the new.

    Raises:
        Busy: another process is writing there.
        StorageError: the disk is full or the folder cannot be written.
    """
    page = render(found, pictures)
    files.make_folder(folder.parent)
    lock = FileLock(folder.parent / f".{folder.name}.lock", f"writing {folder}")
    with lock, folders.replacing(folder) as new:
        found.write(new / DOCUMENT)
        files.write_text(new / PAGE, page)
        for name, content in pictures.items():
            files.write_bytes(new / name, content)
