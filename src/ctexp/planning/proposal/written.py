"""Where a proposal is put: `research/plans/NAME.yaml`, and its document beside it."""

from collections.abc import Iterator
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import UsageError
from ctexp.planning.plan.load import FOLDER
from ctexp.planning.proposal.documents import Proposal
from ctexp.planning.proposal.page import page


def names(root: Path) -> Iterator[str]:
    """The plans of a project, and whatever else has such a name there."""
    for path in sorted((root / FOLDER).glob("*")):
        if path.suffix in (".yaml", ".md"):
            yield path.stem


def write(proposal: Proposal, root: Path, *, overwrite: bool) -> tuple[Path, Path]:
    """Write the plan and its document.

    Args:
        proposal: what is proposed.
        root: the project's folder.
        overwrite: replace others of that name.

    Returns:
        The two files.

    Raises:
        UsageError: another plan of that name is there.
        StorageError: the disk is full or the folder cannot be written.
    """
    folder = root / FOLDER
    contents = {
        folder / f"{proposal.plan.name}.yaml": proposal.text,
        folder / f"{proposal.plan.name}.md": page(proposal, root),
    }
    taken = [path for path, text in contents.items() if _differs(path, text)]
    if taken and not overwrite:
        raise UsageError(
            [f"{path.relative_to(root).as_posix()} is there already, and is another one" for path in taken],
            "name the plan otherwise, or replace it: --overwrite",
        )
    files.make_folder(folder)
    for path, text in contents.items():
        files.write_text(path, text)
    plan, document = contents
    return plan, document


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") != text
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True
