"""The sets that `dvc.yaml` knows: read, and one more written in, its comments and layout kept.

Its variable `sets` names all of them; each stage with `foreach: ${sets}` is run for each. Those of `imported`
were brought by people: their first stage fetches them from the remote, since no program makes them.
"""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ctexp.core import yaml_file
from ctexp.core.errors import DataError
from ctexp.core.files import read_regular, write_text

FILE = "dvc.yaml"
_FOR_EACH = "${sets}"


class Pipeline:
    """A project's `dvc.yaml`.

    Raises:
        DataError: it is missing, not YAML, or has no variables `sets` and `imported`.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / FILE
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 4096
        self._yaml.indent(mapping=2, sequence=4, offset=2)
        try:
            self._document: Any = self._yaml.load(read_regular(self._file, yaml_file.MAX_BYTES))
            lists = {key: value for entry in self._document["vars"] for key, value in entry.items()}
            self.sets: list[str] = lists["sets"]
            self.imported: list[str] = lists["imported"]
            self._derived = [
                name for name, stage in self._document["stages"].items() if stage.get("foreach") == _FOR_EACH
            ]
            if not isinstance(self.sets, list) or not isinstance(self.imported, list):
                raise TypeError("no lists")
        except (OSError, YAMLError, ValueError, RecursionError) as error:
            what = " ".join(str(error).split())
            raise DataError(f"{FILE}: cannot be read ({what})", f"restore it: git checkout {FILE}") from error
        except (AttributeError, KeyError, TypeError) as error:
            raise DataError(
                f"{FILE}: lacks stages, or its variables `sets` and `imported`, lists of data sets",
                f"restore it: git checkout {FILE}",
            ) from error

    def register(self, name: str) -> bool:
        """Write in a set that was imported; whether it was not there before.

        Raises:
            StorageError: the file cannot be written.
        """
        if name in self.sets:
            return False
        self.sets.append(name)
        self.imported.append(name)
        text = io.StringIO()
        self._yaml.dump(self._document, text)
        write_text(self._file, text.getvalue())
        return True

    def derived(self, name: str) -> list[str]:
        """The stages that make something of a set, by name: `audit@chest_ct`, ..."""
        return [f"{stage}@{name}" for stage in self._derived]
