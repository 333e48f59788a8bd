"""Which code a run ran: its commit, and what of it was not committed."""

from ctexp.checklist.answers import Answer, full, open_still, partly
from ctexp.checklist.evidence import Evidence
from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.record.git import GitState
from ctexp.record.manifest import Attempt

_COMMIT_FIRST = "commit before training: git add --all && git commit; git.dirty=refuse holds you to it"


def commit(of: Evidence) -> Answer:
    """The commit is named, and this repository has it."""
    named = of.manifest.git.commit
    if named is None:
        why = of.manifest.git.reason or "no commit"
        fix = "git init && git add --all && git commit -m start && {command}"
        return partly(0.0, "the record names no commit", fix, why)
    if of.commits is None:
        return partly(0.5, "this folder is no git repository: its commit is not here", "git clone")
    if named not in of.commits:
        fix = f"git fetch origin {named}, or bring back the repository that has it"
        return partly(0.4, "its commit is not in this repository", fix, named[:12])
    return full("named, and here", named[:12])


def changes(of: Evidence) -> Answer:
    """Nothing was uncommitted, or all of it is kept, in every start."""
    marks = [_changes(of, 1, of.manifest.git)]
    for number in of.run.attempt_numbers():
        if number > 1:
            try:
                marks.append(_changes(of, number, Attempt.read(of.run.attempt(number)).git))
            except DataError as damage:
                fix = "train again: {command}"
                marks.append(partly(0.0, "a start's page cannot be read", fix, str(damage)))
    return min(marks, key=lambda mark: 1.0 if mark.share is None else mark.share)


def _changes(of: Evidence, number: int, git: GitState) -> Answer:
    start = "" if number == 1 else f"start {number}: "
    if git.dirty is None:
        return open_still(f"{start}without a commit nothing can be compared")
    if not git.dirty:
        return full("nothing was uncommitted")
    patch = of.run.attempt_patch(number)
    names = ", ".join([*git.changed, *git.untracked][:3])
    if git.patch_sha256 is None:
        return partly(0.0, "uncommitted changes, and no patch of them", _COMMIT_FIRST, start + names)
    if not patch.is_file() or files.sha256_file(patch) != git.patch_sha256:
        said = "the patch of its uncommitted changes is missing, or not the one it was"
        return partly(0.0, said, f"bring back {patch.name} from a copy of the run", start + names)
    if git.left_out:
        said = "the patch of its uncommitted changes lacks files"
        return partly(0.3, said, _COMMIT_FIRST, start + ", ".join(git.left_out[:3]))
    return full("uncommitted changes, kept as a patch", start + names)
