"""The published schema of a handler's record is that of the code, and real records obey it."""

import json
from pathlib import Path

import jsonschema

from ctexp.record import schemas
from ctexp.research import deriving, schema
from ctexp.research.record import Answer
from tests.project import HERE
from tests.research.answers import answer, figure, plan


def test_the_published_schema_is_that_of_the_code(tmp_path: Path) -> None:
    published = json.loads((HERE / "docs" / "schemas" / schema.NAME).read_text())
    assert published == schemas.schema(Answer)
    plan(tmp_path, "experiments: {dose: {type: question, sub_experiments: [drawn]}}\n")
    made = answer(
        tmp_path, "dose", "drawn", {"mcc": deriving.derived("mean", [figure(0.5, 0.1), figure(0.6, 0.1)])}
    )
    jsonschema.Draft202012Validator(published).validate(made.document())
