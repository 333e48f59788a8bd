"""The files of a run's `checkpoints/`: their names, and the hashes that say which of them are whole.

`sha256sums` lists a line per file in the format of `sha256sum -c`. While a file is being replaced it lists
the old hash and the new one, so that at any instant the hash of every whole file is in it; a file whose hash
is not in it is damaged, whatever its name.
"""

from pathlib import Path

from ctexp.core import files

BEST = "best.ckpt"
LAST = "last.ckpt"
BEFORE_LAST = "last.prev.ckpt"
SUMS = "sha256sums"


def read_sums(folder: Path) -> dict[str, str]:
    """File name to SHA-256, as `sha256sums` says; empty when it is not there.

    A writer that was killed leaves two lines for one name: the file itself then says which is true.
    """
    found = listed(folder)
    names = [name for _, name in found]
    sums = {}
    for digest, name in found:
        path = folder / name
        if names.count(name) == 1 or (path.is_file() and files.sha256_file(path) == digest):
            sums[name] = digest
    return sums


def listed(folder: Path) -> list[tuple[str, str]]:
    """Hash and name of each line; of a damaged list those that are whole."""
    try:
        lines = files.read_regular(folder / SUMS).decode(errors="replace").splitlines()
    except OSError:
        return []
    return [(digest, name) for digest, _, name in (line.partition("  ") for line in lines)]


def drop_spare(folder: Path) -> None:
    """Delete the `last` before the newest: a finished run has no use for it, and it is a third of the disk.

    Raises:
        StorageError: the folder cannot be written.
    """
    with files.storage_errors(folder / BEFORE_LAST):
        (folder / BEFORE_LAST).unlink(missing_ok=True)
    write_sums(folder, {name: digest for name, digest in read_sums(folder).items() if name != BEFORE_LAST})


def write_sums(folder: Path, *sums: dict[str, str]) -> None:
    """Replace `sha256sums` by one line for each hash of each table.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    lines = sorted({f"{digest}  {name}\n" for table in sums for name, digest in table.items()})
    files.write_text(folder / SUMS, "".join(lines))
