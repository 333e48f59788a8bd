"""The JSON schema of `night.json`, for programs that read it.

`python -m ctexp.queue.morning.schema docs/schemas` writes what the documentation publishes.
"""

import sys
from pathlib import Path

from ctexp.core import files
from ctexp.queue.morning.documents import NightReport
from ctexp.record import schemas

NAME = "night.schema.json"

if __name__ == "__main__":
    path = Path(sys.argv[1]) / NAME
    files.write_json(path, schemas.schema(NightReport))
    print(path)
