import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ctexp.core.classes import CLASSES
from ctexp.core.errors import Busy
from ctexp.data import catalog as catalogs
from ctexp.data.audit.run import audit, write
from ctexp.data.audit.verdict import verdict
from ctexp.data.catalog import Catalog
from ctexp.data.intake.importer import import_dataset
from tests.kaggle import build_kaggle_tree

PARTS = {"train": 4, "valid": 2, "test": 2}


def small_set(data_dir: Path, parts: Mapping[str, int] = PARTS) -> Catalog:
    """So many images of noise of each class in each split."""
    rng = np.random.default_rng(9)
    source = data_dir / "source"
    for split, count in parts.items():
        for name in CLASSES:
            (source / split / name).mkdir(parents=True)
            for number in range(count):
                grey = rng.integers(0, 256, (30, 40), dtype=np.uint8)
                Image.fromarray(grey).save(source / split / name / f"{number} <b>&'{name[0]}.png")
    return import_dataset(source, "small", data_dir, seed=1).catalog


def png(width: int, height: int, depth: int) -> bytes:
    """A whole PNG of zeros, however large it claims to be."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 64)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_every_file_that_is_not_as_imported_is_named_with_the_reason(tmp_path: Path) -> None:
    catalog = small_set(tmp_path)
    ids = [row.image_id for row in catalog.rows]
    files = [catalog.raw / row.path for row in catalog.rows]
    files[0].unlink()
    files[1].write_bytes(b"")
    files[2].write_bytes(files[2].read_bytes()[:-30])
    files[3].write_bytes(files[4].read_bytes())
    files[5].write_bytes(png(10_000, 9_500, 8))
    files[6].write_bytes(png(4, 4, 16))
    (catalog.raw / "test" / "notes.txt").write_text("mine")
    (catalog.raw / "train" / ".DS_Store").write_text("")
    found = audit(catalog).findings
    problems = {problem.image_id: problem for problem in found.integrity.problems}
    assert list(problems) == [*ids[:4], *ids[5:7], "test/notes.txt"]
    assert [problem.kind for problem in problems.values()] == [
        *("missing", "empty", "changed", "changed", "changed", "changed", "unknown")
    ]
    for place, says in ((2, "damaged PNG"), (3, "content differs"), (5, "95 megapixels"), (6, "16")):
        assert says in problems[ids[place]].reason
    assert (found.images, found.examined) == (32, 26)
    files_said = next(one for one in verdict(found) if one.topic == "files")
    assert files_said.level == "alarm"
    assert ids[0] in files_said.text


def test_a_damaged_image_that_the_user_excluded_is_no_problem(tmp_path: Path) -> None:
    made = small_set(tmp_path)
    (made.raw / made.rows[0].path).write_bytes(b"not an image")
    rows = [replace(made.rows[0], excluded=True), *made.rows[1:]]
    found = audit(catalogs.write(tmp_path, "small", rows)).findings
    assert found.integrity.problems == ()
    assert "not a PNG" in found.integrity.excluded[made.rows[0].image_id]
    assert found.counts.images["test"]["adenocarcinoma"] == 1


def test_a_tiny_set_is_audited_and_what_it_cannot_tell_is_said(tmp_path: Path) -> None:
    audited = audit(small_set(tmp_path))
    said = {(one.topic, one.level): one.text for one in verdict(audited.findings)}
    assert "10 independent images" in said["shortcuts", "note"]
    assert "not assessed" in said["shift", "note"]
    assert said["leaks", "fine"]
    assert {topic for topic, level in said if level == "alarm"} == set()
    write(audited, tmp_path)


def test_a_set_without_a_test_split_and_with_all_files_gone(tmp_path: Path) -> None:
    catalog = small_set(tmp_path, {"train": 3, "valid": 3})
    assert {one.split for one in audit(catalog).findings.shift} == {"val"}
    for row in catalog.rows:
        (catalog.raw / row.path).unlink()
    found = audit(catalog).findings
    assert found.examined == 0
    assert {problem.kind for problem in found.integrity.problems} == {"missing"}
    assert len(found.integrity.problems) == 24
    write(audit(catalog), tmp_path)


def test_groups_that_an_older_catalog_lacks_are_written_into_it(tmp_path: Path) -> None:
    made = small_set(tmp_path)
    old = catalogs.write(
        tmp_path, "small", [replace(row, group=f"old{row.image_id[:5]}") for row in made.rows], synthetic=True
    )
    audited = audit(old)
    assert audited.regrouped == 32
    now = catalogs.load(tmp_path, "small")
    assert now == audited.catalog
    assert [row.group for row in now.rows] == [row.group for row in made.rows]
    assert now.synthetic
    assert audited.findings.catalog_sha256 == now.sha256
    assert audit(now).regrouped == 0


def test_a_missing_file_does_not_change_the_groups(tmp_path: Path) -> None:
    made = small_set(tmp_path)
    old = catalogs.write(tmp_path, "small", [replace(row, group="one") for row in made.rows])
    (old.raw / old.rows[0].path).unlink()
    assert audit(old).regrouped == 0
    assert catalogs.load(tmp_path, "small").sha256 == old.sha256


def test_a_catalog_that_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    made = small_set(tmp_path)
    old = catalogs.write(tmp_path, "small", [replace(row, group="one") for row in made.rows])
    catalogs.write(tmp_path, "small", [replace(row, meta={"age": "60"}) for row in made.rows])
    with pytest.raises(Busy, match="changed by somebody else"):
        audit(old)
    assert catalogs.load(tmp_path, "small").rows[0].meta == {"age": "60"}


def test_the_planted_copies_and_the_dark_row_are_found_and_the_bytes_are_always_the_same(
    tmp_path: Path,
) -> None:
    build_kaggle_tree(tmp_path / "tree", 0.1, 4)
    catalog = import_dataset(tmp_path / "tree", "kaggle", tmp_path, seed=1).catalog
    audited = audit(catalog)
    found = audited.findings
    normal = next(leak for leak in found.leaks if leak.class_name == "normal")
    assert (normal.split, normal.exact, normal.exact_distinct) == ("test", 4, 2)
    assert not [group for group in found.copies if len(group.classes) > 1], "a false pair across classes"
    cancers = next(one for one in found.shift if (one.split, one.among) == ("test", "cancers"))
    assert cancers.auroc
    assert cancers.auroc.low > 0.95
    assert (cancers.other, cancers.auroc.few) == (26, True)
    assert cancers.telling[0].statistic == "bottom border brightness"
    assert {member.image_id for group in found.copies for member in group.members} == set(audited.thumbnails)
    said = {(one.topic, one.level): one.text for one in verdict(found)}
    assert ("leaks", "alarm") in said
    assert "cancers 1.00 (1.00 to 1.00, few)" in said["shift", "note"]

    folders = [write(audited, tmp_path / "first").parent, write(audit(catalog), tmp_path / "second").parent]
    for name in ("audit.json", "audit.html"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    document = json.loads((folders[0] / "audit.json").read_text())
    assert document["schema_version"] == 1
    assert document["images"] == document["examined"] == len(catalog.rows)


@pytest.mark.slow
def test_the_whole_replica(tmp_path: Path) -> None:
    build_kaggle_tree(tmp_path / "tree", 1.0, 3)
    found = audit(import_dataset(tmp_path / "tree", "kaggle", tmp_path, seed=1).catalog).findings
    normal = next(leak for leak in found.leaks if (leak.split, leak.class_name) == ("test", "normal"))
    assert (normal.exact, normal.images, normal.exact_distinct) == (46, 54, 19)
    size = next(one for one in found.shortcuts.baselines if one.family == "size")
    assert size.alarm, "normals are larger than cancers"
    by_split = {one.split: one for one in found.shift if one.among == "cancers"}
    assert by_split["test"].telling[0].statistic == "bottom border brightness"
    assert by_split["test"].auroc
    assert by_split["test"].auroc.low > 0.95
    assert by_split["test"].auroc.alarm
    assert by_split["val"].auroc
    assert not by_split["val"].auroc.alarm
    assert ("test", "normal") in {(one.split, one.class_name) for one in found.counts.rare}
