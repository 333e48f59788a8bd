"""What an answer would rest on today; where handler, plan or data are others, it is out of date."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.core.paths import splits_folder
from ctexp.record.manifest import Dataset
from ctexp.research.places import Places
from ctexp.research.plan.content import Experiment
from ctexp.research.record import Answer, Basis


def today(root: Path, data_dir: Path, experiment: Experiment, sub: str, answer: Answer | None) -> Basis:
    """What an answer to a part of an experiment would rest on now.

    Args:
        root: the project's folder.
        data_dir: the data folder.
        experiment: as the plan has it.
        sub: the part's id.
        answer: the one there is, which says what data and what overrides it used; None where there is none.
            A data set that is not here (a fresh clone has none) counts as unchanged.
    """
    used = answer.basis.data if answer else {}
    return Basis(
        handler=handler_hash(Places(root), experiment.id, sub),
        plan=plan_hash(experiment, sub),
        data={name: _data_hash(root, data_dir, name) or known for name, known in used.items()},
        overrides=answer.basis.overrides if answer else (),
    )


def changed(then: Basis, now: Basis) -> tuple[str, ...]:
    """What is another now, in words: `its handler`, `the plan`, `the data set phantom`."""
    parts = (
        ("its handler", then.handler, now.handler),
        ("the plan", then.plan, now.plan),
        ("the overrides", then.overrides, now.overrides),
        *((f"the data set {name}", then.data.get(name), known) for name, known in sorted(now.data.items())),
    )
    return tuple(what for what, before, after in parts if before != after)


def beyond(overrides: Iterable[str]) -> tuple[str, ...]:
    """The overrides that make another answer of it: all but those of the logger, which changes no figure."""
    return tuple(word for word in overrides if re.split(r"[.=@]", word.lstrip("+~"))[0] != "logger")


def why_beyond(overrides: Iterable[str]) -> str:
    """Why an answer that was made with overrides does not count; empty where it does."""
    words = " ".join(beyond(overrides))
    if not words:
        return ""
    return f"made with {words} on the command line, which its handler does not say: run it without"


def plan_hash(experiment: Experiment, sub: str) -> str:
    """SHA-256 of what the plan asks of a part of an experiment.

    Neither statuses and numbers that somebody wrote there count, nor names and remarks, nor other parts.
    """
    part = next((one for one in experiment.subs if one.id == sub), None)
    asked = {
        "experiment": experiment.id,
        "kind": experiment.kind,
        "sub": sub,
        "description": part.description if part else "",
        "criteria": {
            name: [one.metric, one.target, one.acceptable, one.failure, one.direction]
            for name, one in experiment.criteria.items()
        },
    }
    return files.sha256_bytes(json.dumps(asked, sort_keys=True).encode())


def handler_hash(places: Places, experiment: str, sub: str) -> str | None:
    """SHA-256 of a handler's file and of the files beside it that it imports; None where it is missing."""
    file = places.handler(experiment, sub)
    if not file.is_file():
        return None
    content = b"".join(
        f"{path.relative_to(places.handlers)} {files.sha256_file(path)}\n".encode()
        for path in sorted(_with_neighbours(file, places.handlers))
    )
    return files.sha256_bytes(content)


def catalog_hash(data_dir: Path, name: str) -> str | None:
    """SHA-256 of a data set's catalog; None where there is none here."""
    from ctexp.data.catalog import catalog_file  # pyarrow takes a third of a second to load

    file = catalog_file(data_dir, name)
    return files.sha256_file(file) if file.is_file() else None


def split_hash(root: Path, name: str, scheme: str) -> str | None:
    """SHA-256 of the file that says which image of a data set is in which split; None where there is none.

    A split that follows from the catalog needs no file, and changes with that.
    """
    from ctexp.data.splits import split_file  # as above

    with suppress(DataError):
        if (content := split_file.read(split_file.split_file(splits_folder(root), name, scheme))) is not None:
            return files.sha256_bytes(content)
    return None


def rests_on(dataset: Dataset) -> dict[str, str]:
    """What an answer notes of the images of a run: catalog and split, each by its name."""
    split = {f"{dataset.name}/{dataset.split}": dataset.split_sha256} if dataset.split_sha256 else {}
    return {dataset.name: dataset.catalog_sha256, **split}


def _data_hash(root: Path, data_dir: Path, name: str) -> str | None:
    """Of a data set, or of a split of one: `phantom/clean`."""
    dataset, _, scheme = name.partition("/")
    return split_hash(root, dataset, scheme) if scheme else catalog_hash(data_dir, dataset)


def _with_neighbours(file: Path, handlers: Path) -> set[Path]:
    """A file, and all of its folder and of the folder of handlers that it imports, directly or not."""
    found, ahead = set[Path](), [file]
    while ahead:
        one = ahead.pop()
        if one in found:
            continue
        found.add(one)
        for name in _imported(one):
            for folder in (file.parent, handlers):
                module, package = folder / f"{name}.py", folder / name
                if module.is_file():
                    ahead.append(module)
                elif package.is_dir():  # also one without __init__.py
                    ahead += package.rglob("*.py")
    return found


def _imported(file: Path) -> Iterator[str]:
    """The first names of the modules that a file imports; none where it cannot be read as Python."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
