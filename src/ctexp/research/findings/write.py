"""Everything that is made from records, written anew: results for programs, findings for people."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import CtexpError, DataError
from ctexp.core.locks import FileLock
from ctexp.core.paths import shown
from ctexp.research.figures import Figure
from ctexp.research.findings import experiment_page, kept, project_page, results
from ctexp.research.findings.history import altered, grown
from ctexp.research.findings.page import Page
from ctexp.research.findings.sources import sources
from ctexp.research.places import Places
from ctexp.research.plan.content import ResearchPlan
from ctexp.research.standing.standing import Standing, Stands, standing

_YOURS = """
## Notes

Yours: what stands outside the marks is kept as it is. A number is cited by its footnote, copied from above.

## History

"""

_PUT_BACK = (
    "put it back as it was (`git diff research` shows what was changed); a head or sources that are deleted "
    "with both marks are made anew"
)

_PATIENCE = 10.0  # seconds that another may take to write its own


@dataclass(frozen=True)
class Told:
    """A page, as far as it is generated.

    Attributes:
        head: its head.
        lines: what counts, as its history tells it; see `history`.
        figures: by mark, all that it may cite.
        earlier: marks of those that only earlier answers have.
        records: SHA-256 of the records it is made from, by their file.
    """

    head: str
    lines: tuple[str, ...]
    figures: Mapping[str, Figure]
    earlier: Set[str]
    records: Mapping[str, str]


def write(root: Path, plan: ResearchPlan, data_dir: Path, *, stub: bool = False) -> tuple[Path, ...]:
    """Write `results.yaml` and `FINDINGS.md` of every experiment that has a record, and of the project.

    What people have written on the pages is kept byte for byte. A page with damaged marks is left as it is,
    and all others are written before that is told.

    Args:
        root: the project's folder.
        plan: of the project.
        data_dir: the folder of its data.
        stub: from the records of stub runs, below `research/stub/`.

    Returns:
        The files, also those that already were as they should be.

    Raises:
        DataError: marks of a page are damaged, generated text was changed by hand, or people wrote a file
            that is generated.
        Busy: somebody else writes findings, and does not end.
        StorageError: the disk is full or a folder cannot be written.
    """
    places = Places(root, stub)
    lock = FileLock(places.findings.with_name(".findings.lock"), "the findings")
    lock.acquire(_PATIENCE)
    try:
        return _written(places, standing(root, plan, data_dir, stub=stub))
    finally:
        lock.release()


def refuse_altered(root: Path, experiments: Iterable[str], *, stub: bool = False) -> None:
    """Refuse to begin where `write` would be refused at the end, or history is no longer what was written.

    Raises:
        DataError: as for `write`, and for entries of history that were changed, moved or taken out.
    """
    places = Places(root, stub)
    problems: list[str] = []
    hint = ""
    names = list(experiments)
    for path in (places.findings, *map(places.experiment_findings, names)):
        try:
            page = _page(path)
        except DataError as error:
            problems, hint = [*problems, *error.problems], hint or error.hint
            continue
        problems += [f"{page.where}:{line}: {problem}" for line, problem in altered(page)]
    for path in (places.summary, *map(places.experiment_results, names)):
        try:
            results.replacing(path, "")
        except DataError as error:
            problems, hint = [*problems, *error.problems], hint or error.hint
    if problems:
        raise DataError(problems, hint or _PUT_BACK)


def _written(places: Places, found: Standing) -> tuple[Path, ...]:
    written: list[Path] = []
    problems: list[CtexpError] = []
    wanted: list[tuple[Path, Callable[[Path], bytes]]] = []
    for name, its in found.experiments.items():
        if any(part.answer is not None for part in its.parts.values()):
            kept.keep(places, name, [sub for sub, part in its.parts.items() if part.answer is not None])
            text, told = results.of_experiment(its), of_experiment(places, its)
            wanted += [
                (places.experiment_results(name), partial(results.replacing, text=text)),
                (places.experiment_findings(name), partial(updated, told=told)),
            ]
    wanted += [
        (places.summary, partial(results.replacing, text=results.of_project(found))),
        (places.findings, partial(updated, told=of_project(places, found))),
    ]
    for path, content in wanted:
        try:
            written.append(_put(path, content(path)))
        except DataError as error:
            problems.append(error)
    if problems:
        raise DataError([line for error in problems for line in error.problems], problems[0].hint)
    return tuple(written)


def of_experiment(places: Places, its: Stands) -> Told:
    """The page of an experiment."""
    name = its.experiment.id
    figures, earlier = _figures(places, [its])
    return Told(
        head=experiment_page.head(its),
        lines=tuple(experiment_page.history(its)),
        figures=figures,
        earlier=earlier,
        records={
            f"{sub}.json": files.sha256_file(places.record(name, sub))
            for sub, part in its.parts.items()
            if part.answer is not None
        },
    )


def of_project(places: Places, found: Standing) -> Told:
    """The page of the project."""
    figures, earlier = _figures(places, found.experiments.values())
    return Told(
        head=project_page.head(found, places.results.relative_to(places.findings.parent).as_posix()),
        lines=tuple(project_page.history(found)),
        figures=figures,
        earlier=earlier,
        records={
            f"{name}/{sub}.json": files.sha256_file(places.record(name, sub))
            for name, its in found.experiments.items()
            for sub, part in its.parts.items()
            if part.answer is not None
        },
    )


def updated(path: Path, told: Told) -> bytes:
    """A page as it should be now.

    Raises:
        DataError: its marks are damaged, or generated text was changed by hand.
    """
    page = grown(_page(path).with_block("head", told.head), told.lines)
    return page.with_block("sources", sources(texts(page), told.figures, told.records)).content()


def texts(page: Page) -> list[str]:
    """All of a page that cites: its head, people's words, its history."""
    generated = [block.text for block in page.blocks if block.kind != "sources"]
    return [*generated, *(prose.decode(errors="replace") for _, prose in page.prose())]


def _page(path: Path) -> Page:
    try:
        content = files.read_regular(path)
    except FileNotFoundError:
        return Page.new(shown(path), _YOURS)
    except OSError as error:
        raise DataError(f"{shown(path)}: cannot be read ({error.strerror})") from error
    return Page.parse(content, shown(path))


def _figures(places: Places, experiments: Iterable[Stands]) -> tuple[dict[str, Figure], Set[str]]:
    """All figures that may be cited, by mark, and the marks of those that only kept records have."""
    then: dict[str, Figure] = {}
    now: dict[str, Figure] = {}
    for its in experiments:
        then |= kept.figures(places, its.experiment.id)
        for part in its.parts.values():
            now |= part.answer.by_mark() if part.answer is not None else {}
    return then | now, then.keys() - now.keys()


def _put(path: Path, content: bytes) -> Path:
    if not path.is_file() or path.read_bytes() != content:
        files.write_bytes(path.resolve(), content)
    return path
