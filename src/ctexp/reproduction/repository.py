"""The project's git repository: what a commit and a patch are together, and a worktree of it for a while.

Branches, index and working tree are left alone; the entry of a worktree is taken away again.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ctexp.core.errors import PreflightError
from ctexp.record import git

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false", "-c", "core.quotePath=false")


class Repository:
    """The repository that a project lies in.

    Raises:
        PreflightError: there is none.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.top = Path(os.fsdecode(self.ask("rev-parse", "--show-toplevel").rstrip(b"\n")))
        self._prefix = os.fsdecode(self.ask("rev-parse", "--show-prefix").rstrip(b"\n"))

    def ask(
        self,
        *words: str,
        folder: Path | None = None,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """What git answers.

        Raises:
            PreflightError: it failed; the line says what it said.
        """
        try:
            done = subprocess.run(
                ["git", *_QUIET, *words],
                cwd=folder or self._root,
                env=git.environment() | dict(variables or {}),
                input=stdin,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise PreflightError("git is not installed", "install it: apt install git") from error
        if done.returncode:
            said = os.fsdecode(done.stderr).strip().splitlines() or [f"exit status {done.returncode}"]
            why = next((line for line in reversed(said) if line.startswith(("fatal:", "error:"))), said[-1])
            raise PreflightError(f"git {words[0]}: {why}")
        return done.stdout

    def has(self, commit: str) -> bool:
        """Whether a commit is here."""
        try:
            self.ask("cat-file", "-e", f"{commit}^{{commit}}")
        except PreflightError:
            return False
        return True

    @contextmanager
    def worktree(self, commit: str, patch: bytes, path: Path, *, keep: bool) -> Iterator[Path]:
        """The source as it was, in a folder that is gone afterwards.

        Args:
            commit: checked out there, on no branch.
            patch: applied to it; empty for none.
            path: the folder, which must not be there.
            keep: leave it.

        Yields:
            The project's folder in it.

        Raises:
            PreflightError: the commit or the patch cannot be had.
        """
        try:
            self.ask("worktree", "add", "--quiet", "--detach", str(path), commit)
            if patch:
                self.ask("apply", "--whitespace=nowarn", "-", folder=path, stdin=patch)
            yield path / self._prefix
        except BaseException:
            self.remove(path)
            raise
        if not keep:
            self.remove(path)

    def remove(self, path: Path) -> None:
        """Take a worktree away, and whatever entry of it is left; those of other worktrees stay."""
        words = ("worktree", "remove", "--force", "--force", str(path))
        try:
            self.ask(*words)
        except PreflightError:  # none, or one that a kill left half-made
            shutil.rmtree(path, ignore_errors=True)
            with suppress(PreflightError):
                self.ask(*words)

    @contextmanager
    def trees(self, *sources: tuple[str, bytes]) -> Iterator[tuple[list[str], Mapping[str, str]]]:
        """The trees that commits and their patches make, as git names them.

        Yields:
            Their names, and the variables with which git finds them; nothing is stored in the repository.

        Raises:
            PreflightError: a commit is not here, or a patch does not fit it.
        """
        objects = os.fsdecode(self.ask("rev-parse", "--git-path", "objects").rstrip(b"\n"))
        with tempfile.TemporaryDirectory(prefix="ctexp-git-") as folder:
            known = str((self._root / objects).resolve()).replace("\\", r"\\").replace('"', r"\"")
            variables = {
                "GIT_OBJECT_DIRECTORY": folder,
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{known}"',
            }
            yield (
                [
                    self._tree(*source, variables, Path(folder) / f"index-{number}")
                    for number, source in enumerate(sources)
                ],
                variables,
            )

    def _tree(self, commit: str, patch: bytes, variables: Mapping[str, str], index: Path) -> str:
        its = {**variables, "GIT_INDEX_FILE": str(index)}
        self.ask("read-tree", commit, folder=self.top, variables=its)
        if patch:
            apply = ("apply", "--cached", "--whitespace=nowarn", "-")
            self.ask(*apply, folder=self.top, stdin=patch, variables=its)
        return self.ask("write-tree", folder=self.top, variables=its).decode().strip()
