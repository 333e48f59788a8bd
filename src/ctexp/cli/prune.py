"""`prune`: which checkpoints of old runs may go, and with `--apply` their end."""

import re
from datetime import timedelta

from rich.text import Text

from ctexp.cli.tables import plain
from ctexp.config.compose import resolve_paths
from ctexp.core import clock, screen
from ctexp.core.errors import UsageError
from ctexp.core.paths import baselines_file, project_root
from ctexp.core.wording import many
from ctexp.record import prune as rules
from ctexp.record.prune import Plan, Rules, Thinning

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def prune(older_than: str, keep: int, apply: bool, json: bool) -> None:
    """Tell which checkpoints may go; with `apply`, delete them."""
    age = _age(older_than)
    if keep < 0:
        raise UsageError(f"--keep: {keep} is negative", "0 keeps the weights of none")
    root = project_root()
    decided = rules.plan(
        resolve_paths(root)[1], baselines_file(root), Rules(age, older_than, keep), clock.now()
    )
    passed_over = rules.carry_out(decided) if apply else {}
    done = [thinning for thinning in decided.thinnings if thinning.run.id not in passed_over]
    if json:
        screen.emit_json(
            {
                "applied": apply,
                "looked_at": decided.looked_at,
                "protected": list(decided.protected),
                "bytes": sum(thinning.size for thinning in done),
                "runs": [_document(thinning) for thinning in done],
                "passed_over": passed_over,
            }
        )
        return
    _tell(decided, done, applied=apply)
    for run_id, reason in passed_over.items():
        screen.warn(f"{run_id}: {reason}, left as it is")


def _age(said: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([hdw])", said)
    if match is None:
        raise UsageError(
            f"--older-than: {said!r} is no age", "say a whole number and its unit: 12h, 7d or 2w"
        )
    return int(match[1]) * _UNITS[match[2]]


def _document(thinning: Thinning) -> dict[str, object]:
    return {
        "run_id": thinning.run.id,
        "state": thinning.state,
        "ended": thinning.result.ended if thinning.result else None,
        "bytes": thinning.size,
        "files": [{"file": file.name, "bytes": file.size, "reason": file.reason} for file in thinning.files],
    }


def _tell(decided: Plan, done: list[Thinning], *, applied: bool) -> None:
    table = plain("run", "file", "MB:", "why", wraps="why")
    for thinning in done:
        for row, file in enumerate(thinning.files):
            name = thinning.run.id if row == 0 else ""
            table.add_row(Text(name), Text(file.name), _megabytes(file.size), Text(file.reason))
    if done:
        screen.print_table(table)
    count = sum(len(thinning.files) for thinning in done)
    verb = "deleted" if applied else "would be deleted"
    freed = _megabytes(sum(thinning.size for thinning in done))
    protected = f"; {len(decided.protected)} protected" if decided.protected else ""
    print(
        f"{many(count, 'file')} of {many(len(done), 'run')}, {freed} MB, {verb}; "
        f"{many(decided.looked_at, 'run')} looked at{protected}"
    )
    if done and not applied:
        screen.note("nothing was deleted: --apply does it")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"
