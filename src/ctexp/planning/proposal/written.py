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
        UsageError: another plan of that name is there, or a folder.
        StorageError: the disk is full or the folder cannot be written.
    """
    return put(proposal.plan.name, proposal.text, page(proposal, root), root, overwrite=overwrite)


def put(name: str, text: str, beside: str, root: Path, *, overwrite: bool) -> tuple[Path, Path]:
    """Write a plan's file and its document, both or none; see `write`."""
    folder = root / FOLDER
    contents = {folder / f"{name}.yaml": text, folder / f"{name}.md": beside}
    if folders := [path for path in contents if path.is_dir()]:
        raise UsageError(
            [f"{path.relative_to(root).as_posix()} is a folder" for path in folders],
            "name the plan otherwise",
        )
    taken = [path for path, content in contents.items() if _differs(path, content)]
    if taken and not overwrite:
        raise UsageError(
            [f"{path.relative_to(root).as_posix()} is there already, and is another one" for path in taken],
            "name the plan otherwise, or replace it: --overwrite",
        )
    plan, document = contents
    files.make_folder(folder)
    before = plan.read_bytes() if plan.is_file() else None
    files.write_text(plan, contents[plan])
    try:
        files.write_text(document, contents[document])
    except BaseException:  # a plan is never left without the document that says why
        if before is None:
            plan.unlink()
        else:
            files.write_bytes(plan, before)
        raise
    return plan, document


def _differs(path: Path, text: str) -> bool:
    try:
        return files.read_regular(path) != text.encode()
    except FileNotFoundError:
        return False
    except OSError:
        return True
