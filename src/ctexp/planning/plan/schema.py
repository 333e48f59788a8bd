"""The JSON schema of a plan's file, for editors that complete keys and mark mistakes.

`python -m ctexp.planning.plan.schema docs/schemas` writes what the documentation publishes.
"""

import sys
from pathlib import Path
from typing import Any

from ctexp.core import files
from ctexp.planning.plan.document import Plan

NAME = "plan.schema.json"


def schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a plan as people write it: its name is its file's."""
    body = Plan.model_json_schema(mode="validation")
    body["required"] = [key for key in body["required"] if key != "name"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}


if __name__ == "__main__":
    path = Path(sys.argv[1]) / NAME
    files.write_json(path, schema())
    print(path)
