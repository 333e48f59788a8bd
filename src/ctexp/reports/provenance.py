"""Where the numbers come from: source, seed, data, environment, weights, and the looks at the test split."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.core.paths import ledger_file
from ctexp.core.wording import many
from ctexp.record.ledger import Ledger, counted
from ctexp.record.manifest import Manifest
from ctexp.reports.sheets import Member, Sheet


def facts(member: Member) -> list[tuple[str, str]]:
    """Name and value of what a reader needs to find or repeat one run."""
    manifest, result = member.manifest, member.result
    if manifest is None:
        return [("record", "cannot be read")]
    environment, dataset = manifest.environment, manifest.dataset
    about = [("description", manifest.description), ("tags", ", ".join(manifest.tags))]
    told = [
        *((name, value) for name, value in about if value),
        ("command", manifest.command),
        ("source", _source(manifest)),
        ("seed", str(manifest.seed)),
        ("data", _data(manifest)),
        ("split", f"{dataset.split}{'' if dataset.fold is None else f', fold {dataset.fold}'}"),
        ("weights", manifest.weights.source + _short(manifest.weights.sha256)),
        ("configuration", manifest.config_sha256[:16]),
        ("device", manifest.device or ", ".join(gpu.name for gpu in environment.gpus) or environment.cpu),
        ("environment", f"Python {environment.python}, {environment.os}, {environment.packages} packages"),
        ("packages", environment.packages_sha256[:16]),
    ]
    if manifest.origin.queue or manifest.origin.plan:
        origin = manifest.origin
        kinds = (("plan", origin.plan), ("queue", origin.queue), ("job", origin.job))
        asked = [f"{kind} {name}" for kind, name in kinds if name]
        told.append(("asked for by", ", ".join(asked)))
    if result:
        told.append(("started", f"{result.started}, attempt {result.attempt}, {result.state}"))
    return told


def _source(manifest: Manifest) -> str:
    git = manifest.git
    if git.commit is None:
        return git.reason or "not under version control"
    state = f", with {many(len(git.changed) + len(git.untracked), 'uncommitted file')}" if git.dirty else ""
    return f"{git.commit[:12]} on {git.branch or 'no branch'}{state}"


def _data(manifest: Manifest) -> str:
    dataset = manifest.dataset
    kind = " (synthetic)" if dataset.synthetic else ""
    version = f", DVC {dataset.dvc.raw[:16]}" if dataset.dvc and dataset.dvc.raw else ""
    return f"{dataset.name}{kind}, catalog {dataset.catalog_sha256[:16]}{version}"


def _short(sha256: str | None) -> str:
    return f", {sha256[:16]}" if sha256 else ""


def looks(sheets: Sequence[Sheet], root: Path) -> list[str]:
    """What the ledger counts for each data set and version, in its own words, one line each."""
    ledger = Ledger(ledger_file(root))
    versions = {
        (manifest.dataset.name, manifest.dataset.catalog_sha256)
        for sheet in sheets
        if (manifest := sheet.manifest)
    }
    told = []
    for name, catalog in sorted(versions):
        at_it = [look for look in ledger.looks(name, catalog) if look.kind != "cross-validation"]
        last = f"; last look on {at_it[-1].time[:10]} to {at_it[-1].kind}" if at_it else ""
        told.append(
            f"The test ledger, of all runs: {counted(ledger, name, catalog)} (catalog {catalog[:12]}){last}."
        )
    return told
