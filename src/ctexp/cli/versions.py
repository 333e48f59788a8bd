"""`data-pull` and `data-push`: versions of the data between here and the DVC remote; `data-delta`."""

from collections.abc import Iterable
from typing import Any

from ctexp.config.paths import resolve_paths
from ctexp.core import screen
from ctexp.core.paths import project_root, shown
from ctexp.core.wording import many
from ctexp.data import catalog as catalogs
from ctexp.data.catalog import Catalog
from ctexp.data.versions import delta as deltas
from ctexp.data.versions import dvc, exchange
from ctexp.data.versions.version import dvc_version


def push(dataset: str | None, json: bool) -> None:
    """Record the versions of the data in `dvc.lock` and push them."""
    root = project_root()
    with screen.status("recording and pushing") as follow:
        pushed = exchange.push(root, resolve_paths(root)[0], dataset, follow)
    if json:
        screen.emit_json(
            {
                "remote": pushed.remote,
                "sets": _as_json(pushed.sets),
                "registered": list(pushed.registered),
                "stages": list(pushed.stages),
                "outstanding": list(pushed.outstanding),
                "files_pushed": pushed.files,
                "uncommitted": list(pushed.uncommitted),
            }
        )
        return
    for catalog in pushed.sets:
        version = dvc_version(root, catalog).raw
        print(f"{catalog.title}: {len(catalog.rows):,} images verified, version {version}")
    files = many(pushed.files, "new file") if pushed.files else "everything was there already"
    print(f"pushed to {pushed.remote}: {files}")
    if pushed.registered:
        screen.note(f"written into dvc.yaml: {', '.join(pushed.registered)}")
    if pushed.outstanding:
        screen.note(f"not made of this version yet -> {dvc.typed('repro', *pushed.outstanding)}")
    if pushed.uncommitted:
        screen.note(f"commit {', '.join(pushed.uncommitted)}, so that others can pull this version")


def pull(dataset: str | None, json: bool) -> None:
    """Fetch the versions that `dvc.lock` records."""
    root = project_root()
    with screen.status("pulling") as follow:
        pulled = exchange.pull(root, resolve_paths(root)[0], dataset, follow)
    if json:
        screen.emit_json({"sets": _as_json(pulled.sets), "stages": list(pulled.stages)})
        return
    for catalog in pulled.sets:
        print(f"{catalog.title}: {len(catalog.rows):,} images verified in {shown(catalog.raw)}")


def delta(table: str, dataset: str, json: bool) -> None:
    """Have the newest version of a Delta table hold the catalog of a data set."""
    root = project_root()
    catalog = catalogs.load(resolve_paths(root)[0], dataset)
    kept = deltas.keep(catalog, table)
    if json:
        screen.emit_json(
            {
                "dataset": catalog.name,
                "images": len(catalog.rows),
                "catalog_sha256": catalog.sha256,
                "table": table,
                "version": kept.version,
                "new": kept.is_new,
            }
        )
        return
    has = "now holds" if kept.is_new else "already holds"
    print(f"{catalog.title}: version {kept.version} of {table} {has} its {len(catalog.rows):,} images")
    print(f"catalog sha256: {catalog.sha256}")


def _as_json(sets: Iterable[Catalog]) -> list[dict[str, Any]]:
    root = project_root()
    documents = []
    for catalog in sets:
        version = dvc_version(root, catalog)
        hashes = {"raw": version.raw, "catalog": version.catalog}
        documents.append({"name": catalog.name, "images": len(catalog.rows), "dvc": hashes})
    return documents
