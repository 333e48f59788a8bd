"""Whether the tracker would let us in: only that there is a key is looked at, never the key."""

import os
from pathlib import Path
from urllib.parse import urlsplit


def present() -> bool:
    """Whether the environment or the netrc file has credentials for Weights & Biases."""
    return bool(os.environ.get("WANDB_API_KEY")) or _in_netrc()


def _in_netrc() -> bool:
    from netrc import NetrcParseError, netrc

    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    try:
        return host in netrc(os.environ.get("NETRC") or Path.home() / ".netrc").hosts
    except (OSError, ValueError, NetrcParseError):
        return False
