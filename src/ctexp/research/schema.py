"""The JSON schema of a handler's record, for programs that read it.

`python -m ctexp.research.schema docs/schemas` writes what the documentation publishes.
"""

import sys
from pathlib import Path

from ctexp.core import files
from ctexp.record import schemas
from ctexp.research.record import Answer

NAME = "answer.schema.json"

if __name__ == "__main__":
    path = Path(sys.argv[1]) / NAME
    files.write_json(path, schemas.schema(Answer))
    print(path)
