"""The published schema of a plan's file: as the code has it, and of use to an editor."""

import json
from pathlib import Path

import jsonschema
import pytest

from ctexp.core import yaml_file
from ctexp.planning.plan import schema
from ctexp.record.schemas import DOCUMENTS

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs" / "schemas"


def test_the_published_schema_is_that_of_the_code() -> None:
    published = json.loads((PUBLISHED / schema.NAME).read_text())
    assert published == schema.schema()
    jsonschema.Draft202012Validator.check_schema(published)


def test_no_schema_is_published_that_nothing_writes() -> None:
    others = {schema.NAME, "night.schema.json", "reproduction.schema.json", "answer.schema.json"}
    written = {*(f"{name}.schema.json" for name in DOCUMENTS), *others}
    assert {file.name for file in PUBLISHED.glob("*.json")} <= written


@pytest.mark.parametrize(
    "plan", sorted((ROOT / "research" / "plans").glob("*.yaml")), ids=lambda path: path.stem
)
def test_the_plans_of_this_project_obey_it(plan: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema.schema())
    validator.validate(yaml_file.read_mapping(plan))


def test_it_marks_what_is_wrong() -> None:
    validator = jsonschema.Draft202012Validator(schema.schema())
    right = {"experiments": {"a": {"success": {"metric": "val/f1", "better_than": "baseline"}}}}
    validator.validate(right)
    for wrong in (
        {},
        right | {"windw": "8h"},
        {"experiments": {"a": {"success": {"metric": "val/f1"}}}},
        {"experiments": {"a": {"fallback": {"oomm": ["a=1"]}}}},
        right | {"name": "Bad Name"},
        right | {"reserve": {"disk": "5"}},
        right | {"cooldown": {"pause": "5"}},
    ):
        assert not validator.is_valid(wrong)
