"""Whether a run was made by the source and on the data that are here now."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from ctexp.record import git
from ctexp.record.manifest import Manifest
from ctexp.research.basis import catalog_hash, split_hash


class Source:
    """Code, configuration and data as they are now."""

    def __init__(self, root: Path, own: Sequence[Path]) -> None:
        self._root = root
        self._now = git.capture(root, own)
        self._same_commit = cache(self._same_commit_)
        self._catalog = cache(partial(catalog_hash, own[0]))
        self._split = cache(partial(split_hash, root))

    def made(self, manifest: Manifest) -> bool:
        """Whether a run had this code, this configuration, this data set and this split.

        Commits that change neither code nor configuration, as those of findings, leave both the same.
        """
        then, dataset = manifest.git, manifest.dataset
        if then.patch_sha256 != self._now.state.patch_sha256 or then.left_out or self._now.state.left_out:
            return False
        if not self._same_commit(then.commit) or self._catalog(dataset.name) != dataset.catalog_sha256:
            return False
        return self._split(dataset.name, dataset.split) in (None, dataset.split_sha256)

    def _same_commit_(self, commit: str | None) -> bool:
        now = self._now.state.commit
        if commit is None or now is None:  # nobody knows what the source was
            return False
        return commit == now or git.sources_between(self._root, commit, now) == []
