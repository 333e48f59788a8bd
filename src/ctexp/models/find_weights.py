"""`python -P -m ctexp.models.find_weights`: which files the weights of networks are, for those without timm.

Reads `{"root": …, "fetch": …, "networks": [{"name": …, "weights": …}]}` from stdin and prints a list with
an answer for each network: its file, hashed, or `{"problem": …}`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ctexp.core.errors import CtexpError
from ctexp.models.weights import resolve


def main() -> None:
    """Answer."""
    asked = json.load(sys.stdin)
    root, fetch = Path(asked["root"]), asked["fetch"]
    json.dump([_answer(root, one["name"], one["weights"], fetch) for one in asked["networks"]], sys.stdout)


def _answer(root: Path, name: str, weights: str | None, fetch: bool) -> dict[str, Any]:
    try:
        origin = resolve(name, pretrained=True, weights=weights, root=root, fetch=fetch)
    except CtexpError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return {"problem": f"{'; '.join(error.problems)}{hint}"}
    assert origin.path is not None  # noqa: S101 -- only random weights have none
    about = origin.path.stat()
    return {
        "name": name,
        "weights": weights,
        "source": origin.source,
        "sha256": origin.sha256,
        "path": str(origin.path.absolute()),
        "bytes": about.st_size,
        "mtime_ns": about.st_mtime_ns,
    }


if __name__ == "__main__":
    main()
