"""`analyze-features`: which features the networks of one experiment rely on, and the lists this makes."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctexp.cli.meant import experiment
from ctexp.cli.tables import plain
from ctexp.config.compose import paths_of, resolve_paths
from ctexp.core import screen
from ctexp.core.errors import DataError, UsageError
from ctexp.core.paths import feature_lists_folder, project_root, shown
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir

if TYPE_CHECKING:
    from ctexp.training.judging.feature_runs import Opened
    from ctexp.training.judging.importance import ColumnImportance

METHOD = "permutation importance on validation images"
_METRIC = "rise of log-loss, nats"
_INTERVAL = "95 %, percentiles of a bootstrap over groups of images and permutations"

_MOST = 1000
_SHOWN = 10


def analyze(run: Sequence[str], repeats: int, json: bool) -> None:
    """Rank the columns that runs were trained with; write lists where they were all fifty."""
    if not 2 <= repeats <= _MOST:
        raise UsageError(
            f"--repeats: {repeats} is not between 2 and {_MOST}", "20 are enough for most purposes"
        )
    root = project_root()
    runs_dir = resolve_paths(root)[1]
    runs = [one for said in run for one in experiment(root, said).runs] or [_newest(runs_dir)]

    from ctexp.evaluation import figures
    from ctexp.training.judging.feature_runs import judge, open_runs
    from ctexp.training.judging.importance import THRESHOLD
    from ctexp.training.kernel.stopping import StopRequests

    opened = open_runs(runs, root)
    with screen.status("permuting features"), StopRequests():
        ranks = judge(opened, repeats, paths_of(opened.settings[0].paths, root)[0])
    written = _write_lists(opened, ranks, repeats, root)
    selection = opened.selection
    fold = "" if selection.fold is None else f".kfold-{selection.fold}"
    figure = feature_lists_folder(root) / f"{selection.catalog.name}{fold}.importance.png"
    drawn = [(one.column, one.importance, one.low, one.high) for one in ranks]
    figures.importances(drawn, figure, THRESHOLD, selection.catalog.title)
    document = {
        "method": METHOD,
        "metric": _METRIC,
        "interval": _INTERVAL,
        "threshold": THRESHOLD,
        "repeats": repeats,
        "runs": [one.id for one in opened.runs],
        "seeds": [settings.seed for settings in opened.settings],
        "validation": {
            "images": len(selection.rows["val"]),
            "groups": int(opened.groups.max()) + 1,
        },
        "columns": [asdict(one) | {"list": "top" if one.is_top else "bottom"} for one in ranks],
        "lists": written,
        "figure": str(figure),
    }
    if json:
        screen.emit_json(document)
    else:
        _tell(document, ranks)
    _tell_notes(document)


def _newest(runs: Path) -> RunDir:
    """The newest finished run whose network took features."""
    for path in reversed(run_paths(runs)):
        found = RunDir(path)
        reading = found.read()
        if reading.state == "finished" and reading.manifest is not None and reading.manifest.features:
            return found
    raise DataError(
        f"{runs}: no finished run has features beside the image",
        "train one: scripts/inv train model=dual_pathway features=all_features",
    )


def _write_lists(
    opened: "Opened", ranks: Sequence["ColumnImportance"], repeats: int, root: Path
) -> dict[str, Any]:
    """Write the lists, or say why not."""
    from ctexp.data.radiomics import lists
    from ctexp.data.radiomics.columns import COLUMNS
    from ctexp.training.judging.importance import THRESHOLD

    selection = opened.selection
    file = lists.lists_file(feature_lists_folder(root), selection.catalog.name, selection.fold)
    top = tuple(one.column for one in ranks if one.is_top)
    bottom = tuple(one.column for one in ranks if not one.is_top)
    about: dict[str, Any] = {"file": None, "top_features": list(top), "bottom_features": list(bottom)}
    if set(opened.features.columns) != set(COLUMNS):
        name = opened.features.record["name"]
        return about | {"why_not": f"the runs saw {name} alone: only features=all_features ranks all"}
    if not top or not bottom:
        which = "every" if top else "no"
        return about | {"why_not": f"{which} column counts, and one of the lists would be empty"}
    before = lists.method_in(file)
    named = " ".join(f"--run {one.id}" for one in opened.runs)
    ranked = lists.Ranked(
        method=METHOD,
        used=len(selection.rows["train"]),
        details={
            "metric": _METRIC,
            "interval": _INTERVAL,
            "threshold": {"interval_above": THRESHOLD},
            "runs": [one.id for one in opened.runs],
            "repeats": repeats,
        },
        top=top,
        bottom=bottom,
        statistics={one.column: _statistics(one) for one in ranks},
        command=f"inv analyze-features {named} --repeats {repeats}",
        validated=True,
    )
    written = lists.write(file, selection, ranked)
    return about | {
        "file": str(written.file),
        "origin": dict(written.origin),
        "replaced": before if before != METHOD else None,
    }


def _statistics(one: "ColumnImportance") -> dict[str, Any]:
    return {
        "importance": one.importance,
        "low": one.low,
        "high": one.high,
        "gradient_share": one.gradient_share,
        "partner": one.partner,
        "correlation": one.correlation,
    }


def _tell(document: dict[str, Any], ranks: Sequence["ColumnImportance"]) -> None:
    runs, validation = document["runs"], document["validation"]
    print(
        f"{len(ranks)} features of {', '.join(runs)}: {document['repeats']} permutations of each among "
        f"{validation['images']} validation images in {validation['groups']} groups"
    )
    several = ("of each run",) if len(runs) > 1 else ()
    table = plain(
        *("column", "nats:", "95 % interval", "accuracy:", "gradient:", "goes with", "list"), *several
    )
    for one in ranks[:_SHOWN]:
        partner = "" if one.correlation is None else f"{one.partner} {one.correlation:+.2f}"
        table.add_row(
            one.column,
            f"{one.importance:.4f}",
            f"{one.low:.4f} to {one.high:.4f}",
            f"{-one.balanced_accuracy_drop:+.3f}",
            f"{one.gradient_share:.1%}",
            partner,
            "top" if one.is_top else "bottom",
            *(" ".join(f"{value:.4f}" for value in one.runs) for _ in several),
        )
    screen.print_table(table)
    more = len(ranks) - _SHOWN
    if more > 0:
        print(f"and {more} more; --json lists all")
    lists = document["lists"]
    print(f"{len(lists['top_features'])} top features, {len(lists['bottom_features'])} bottom features")
    if lists["file"]:
        print(f"lists {shown(Path(lists['file']))}")
    print(f"figure {shown(Path(document['figure']))}")


def _tell_notes(document: dict[str, Any]) -> None:
    """What a reader of the table should know."""
    screen.note(
        "correlated columns share importance: one may count for little because its partner tells the same"
    )
    screen.note(
        "nats: rise of validation log-loss when the column is permuted; accuracy: change of balanced "
        "accuracy; gradient: its integrated gradients"
    )
    if len(document["runs"]) == 1:
        screen.note("one run: other seeds may rely on other columns; name several with --run A --run B")
    lists = document["lists"]
    if not lists["file"]:
        screen.warn(f"no lists were written: {lists['why_not']}")
        return
    if lists["replaced"]:
        screen.warn(f"{shown(Path(lists['file']))}: these lists replace those made by {lists['replaced']}")
    screen.warn(
        "these lists have seen the validation images: validation figures of runs that use them are optimistic"
    )
    screen.note(f"commit the lists: git add {shown(Path(lists['file']))}")
