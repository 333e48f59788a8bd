"""What a run left: weights, a history, figures, and how much room that takes."""

from ctexp.checklist.answers import Answer, full, open_still, partly
from ctexp.checklist.evidence import Evidence
from ctexp.core import files
from ctexp.record import pruned
from ctexp.record.checkpoint_files import BEFORE_LAST, BEST, listed

_MIB = 2**20
_AGAIN = "train again: {command}"
_GO_ON = "scripts/inv train --resume {run}"
_FLOOD = 50 * _MIB
"""A log or table beyond this is not what a run of a thousand images leaves."""


def checkpoints(of: Evidence) -> Answer:
    """The best weights are there, and are what their hash says."""
    best = of.run.checkpoints / BEST
    sums = {digest for digest, name in listed(of.run.checkpoints) if name == BEST}
    if best.is_file() and not sums:
        return partly(0.3, f"{BEST} has no hash: nobody can tell whether it is whole", _AGAIN)
    if best.is_file() and of.thorough and files.sha256_file(best) not in sums:
        fix = f"bring back {BEST} from a copy of the run, or train again: {{command}}"
        return partly(0.0, f"{BEST} is not what its hash says", fix)
    if best.is_file():
        said = "there, and what its hash says" if of.thorough else "there, with its hash"
        return full(said, next(iter(sums))[:12])
    if pruned.told(of.run, BEST):
        return partly(0.5, f"{BEST} was pruned; the record says so", _AGAIN)
    if not of.measured:
        return open_still(f"{of.state}: there need not be any")
    return partly(0.0, f"{BEST} is missing", _AGAIN)


def learning_rate(of: Evidence) -> Answer:
    """In every row of the history."""
    return _every_row(of, ("learning_rate",))


def validation(of: Evidence) -> Answer:
    """Loss and chosen metric in every row, final metrics with intervals."""
    monitor = str(of.manifest.hyperparameters.get("trainer.monitor", "val/macro_f1"))
    rows = _every_row(of, ("val/loss", monitor))
    if rows.share is None or not of.measured:
        return rows
    splits = of.metrics.get("splits")
    val = splits.get("val") if isinstance(splits, dict) else None
    entries = val.get("metrics") if isinstance(val, dict) else None
    if not isinstance(entries, dict) or not entries:
        fix = "scripts/inv evaluate --run {run} --split val"
        return partly(rows.share / 2, "metrics.json has no figures of validation", fix)
    figures = {name: its if isinstance(its, dict) else {} for name, its in entries.items()}
    defined = [name for name, its in figures.items() if its.get("value") is not None]
    bare = [name for name in defined if figures[name].get("low") is None]
    # Of single ones there may be none: every resample undefined, or the same.
    if 2 * len(bare) > len(defined):
        fix = "scripts/inv evaluate --run {run} --split val"
        return partly(rows.share / 2, "final metrics lack intervals", fix, ", ".join(bare[:4]))
    return rows


def logging_interval(of: Evidence) -> Answer:
    """A row for every epoch, none missing."""
    epochs = [int(row["epoch"] or 0) for row in of.rows]
    trained = of.result.epochs if of.result else max(epochs, default=0)
    if not trained:
        return open_still("no epoch was trained to its end")
    missing = sorted(set(range(1, trained + 1)) - set(epochs))
    if missing:
        share = 1 - len(missing) / trained
        detail = f"{len(missing)} of {trained}, the first is {missing[0]}"
        return partly(share, "epochs are missing from history.csv", _AGAIN, detail)
    return full("a row every epoch", f"{trained}")


def sizes(of: Evidence) -> Answer:
    """The directory holds no more than it is for."""
    found = {
        str(path.relative_to(of.run.path)): path.stat().st_size
        for path in of.run.path.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    total = f"{sum(found.values()) / _MIB:.1f} MiB"
    spare = f"checkpoints/{BEFORE_LAST}"
    if of.state == "finished" and spare in found:
        fix = "scripts/inv prune --older-than 0d"
        return partly(0.5, "a finished run still has the spare of its last checkpoint", fix, total)
    flood = [name for name, size in found.items() if size > _FLOOD and not name.startswith("checkpoints/")]
    if flood:
        fix = f"gzip runs/{{run}}/{flood[0]}, and print less in each step"
        return partly(0.5, f"a file beside the weights is larger than {_FLOOD // _MIB} MiB", fix, flood[0])
    return full("no more than it is for", total)


def _every_row(of: Evidence, columns: tuple[str, ...]) -> Answer:
    """Whether each row of the history has a number in some columns."""
    if not of.rows:
        if not of.measured:
            return open_still(f"{of.state}: no epoch was trained to its end")
        return partly(0.0, "history.csv is missing, empty or damaged", _AGAIN)
    cells = [row.get(column) is not None for row in of.rows for column in columns]
    if not all(cells):
        lacking = [name for name in columns if any(row.get(name) is None for row in of.rows)]
        said = f"history.csv lacks {', '.join(lacking)} in some rows"
        return partly(sum(cells) / len(cells), said, _AGAIN)
    return full("in every row", f"{len(of.rows)} epochs")
