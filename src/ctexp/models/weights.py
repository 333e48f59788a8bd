"""Where a network's first weights come from, found and hashed before anything is trained.

Silence is the enemy here: a library that cannot reach its hub may only warn and leave the network random,
and the night is spent on the wrong experiment. So the file is resolved first, and its absence is refused.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import timm
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

from ctexp.core import screen
from ctexp.core.errors import PreflightError
from ctexp.core.files import sha256_file

_WAY_OUT = "set model.weights=FILE to a local copy, or model.pretrained=false to train from random weights"
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class WeightsOrigin:
    """What the manifest says about the weights a training starts from.

    Attributes:
        source: `random`, `hub:<repository>` or `file:<path>`.
        sha256: of the file; None for random weights.
        path: the file on this machine; None for random weights.
    """

    source: str
    sha256: str | None = None
    path: Path | None = None


def resolve(
    name: str, *, pretrained: bool, weights: str | None, root: Path, fetch: bool = True
) -> WeightsOrigin:
    """Find the weights file that a configuration asks for and hash it.

    Args:
        name: the timm architecture.
        pretrained: whether pretrained weights are wanted.
        weights: a local file to use instead of the hub; relative paths hang from `root`.
        root: the project's folder.
        fetch: download what is not in the hub's local cache; else it cannot be had.

    Raises:
        PreflightError: they are wanted and cannot be had; the hint names both ways out.
    """
    if not pretrained:
        return WeightsOrigin("random")
    if weights is not None:
        path = root / Path(weights).expanduser()
        if not path.is_file():
            raise PreflightError(f"model.weights={weights}: no such file", _WAY_OUT)
        return WeightsOrigin(f"file:{weights}", sha256_file(path), path)
    return _from_hub(name, fetch)


def _from_hub(name: str, fetch: bool) -> WeightsOrigin:
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if config is None or config.hf_hub_id is None:
        raise PreflightError(f"model.name={name}: no pretrained weights are published for it", _WAY_OUT)
    repository: str = config.hf_hub_id
    names = [config.hf_hub_filename] if config.hf_hub_filename else list(_HUB_FILES)
    for filename in names:
        cached = try_to_load_from_cache(repository, filename)
        if isinstance(cached, str):
            return _hub_origin(repository, filename, Path(cached))
    if not fetch:
        raise _missing(name, repository, "not in the local cache")
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells each of its tries
    screen.note(f"asking the hub for the weights of {repository}")
    for filename in names:
        try:
            # Whatever it is by then, its hash stands in the record.
            path = Path(hf_hub_download(repository, filename))  # nosec B615
        except LocalEntryNotFoundError as error:
            raise _missing(name, repository, "not in the local cache, and the hub is out of reach") from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError) as error:
            raise _missing(name, repository, type(error).__name__) from error
        return _hub_origin(repository, filename, path)
    raise _missing(name, repository, f"none of {', '.join(names)} is there")


def _hub_origin(repository: str, filename: str, path: Path) -> WeightsOrigin:
    return WeightsOrigin(f"hub:{repository}/{filename}", sha256_file(path), path)


def _missing(name: str, repository: str, why: str) -> PreflightError:
    return PreflightError(
        f"model.pretrained=true: weights of {name} (hub:{repository}) cannot be loaded: {why}", _WAY_OUT
    )
