"""Conclusions of the project that rest on a single seed: chance alone may have made them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ctexp.core import files
from ctexp.core.paths import baselines_file, decisions_file, shown
from ctexp.core.wording import some
from ctexp.monitor.finding import Finding
from ctexp.monitor.neighbours import Neighbours
from ctexp.record import baselines, decisions
from ctexp.record.run_dir import RUN_ID

_FINDINGS = "FINDINGS.md"


def single_seed(root: Path, others: Neighbours) -> Iterator[Finding]:
    """The baseline, the newest decision about each candidate, and every page of findings.

    Of a page each experiment that it cites is asked, and told once: what the project's page says of an
    experiment that page says itself. Runs that are no longer there have no say.

    Raises:
        DataError: baselines or decisions cannot be read.
    """
    current = baselines.current(root)
    if current is not None and _seeds(current.runs, others) == 1:
        yield _single(
            f"the baseline {current.title} was trained with one seed",
            shown(baselines_file(root)),
            current.runs,
        )
    newest = {one.candidate: one for one in decisions.read(decisions_file(root))}
    for one in newest.values():
        alone = [
            title
            for title, runs in ((one.candidate, one.candidate_runs), (one.baseline, one.baseline_runs))
            if _seeds(runs, others) == 1
        ]
        if alone and one.decision != "iterate":
            verb = "promoting" if one.decision == "promote" else "abandoning"
            said = f"{verb} {one.candidate} was decided on one seed of {' and of '.join(alone)}"
            yield _single(said, shown(decisions_file(root)), [*one.candidate_runs, *one.baseline_runs])
    research = root / "research"
    told: set[str] = set()
    for page in [*sorted(research.glob(f"results/*/{_FINDINGS}")), *research.glob(_FINDINGS)]:
        yield from _page(page, others, told)


def _page(page: Path, others: Neighbours, told: set[str]) -> Iterator[Finding]:
    try:
        cited = dict.fromkeys(match[0] for match in RUN_ID.finditer(files.read_regular(page).decode()))
    except (OSError, ValueError):
        return
    experiments: dict[str, list[str]] = defaultdict(list)
    for run in cited:
        if (known := others.summary(run)) is not None:
            experiments[known.name].append(run)
    alone = [name for name, runs in experiments.items() if name not in told and _seeds(runs, others) == 1]
    told.update(alone)
    if alone:
        runs = [run for name in alone for run in experiments[name]]
        yield _single(f"{shown(page)} cites one seed of {some(alone)}", shown(page), runs)


def _seeds(runs: Sequence[str], others: Neighbours) -> int:
    """How many seeds; 0 where a run is not there to say."""
    found = [others.summary(run) for run in runs]
    seeds = {one.seed for one in found if one is not None}
    return 0 if None in found or None in seeds else len(seeds)


def _single(said: str, file: str, runs: Sequence[str]) -> Finding:
    return Finding(
        "single_seed",
        "warning",
        tuple(runs),
        said,
        "train two more seeds under the same run.name before you rely on it",
        {"file": file, "seeds": 1},
        "high",
    )
