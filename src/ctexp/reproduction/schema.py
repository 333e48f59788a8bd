"""The JSON schema of `verdict.json`, for programs that read it.

`python -m ctexp.reproduction.schema docs/schemas` writes what the documentation publishes.
"""

import sys
from pathlib import Path

from ctexp.core import files
from ctexp.record import schemas
from ctexp.reproduction.verdict import Verdict

NAME = "reproduction.schema.json"

if __name__ == "__main__":
    path = Path(sys.argv[1]) / NAME
    files.write_json(path, schemas.schema(Verdict))
    print(path)
