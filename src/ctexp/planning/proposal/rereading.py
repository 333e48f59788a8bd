"""A plan that is not written yet, looked at as it will be read from its file."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ctexp.planning.checking.check import check
from ctexp.planning.checking.checked import Checked
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.load import FOLDER, load


def reread(text: str, name: str, root: Path) -> tuple[Plan, Checked]:
    """The plan, and what a check says of it.

    Args:
        text: of its file, in ASCII.
        name: of the plan.
        root: the project's folder.
    """
    with TemporaryDirectory(prefix="ctexp-plan-") as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, encoding="ascii")
        loaded = load(path, (FOLDER / path.name).as_posix())
    return loaded.plan, check(loaded, root)
