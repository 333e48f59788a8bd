"""A folder in which a rendered script runs for real, with a stand-in for `python -P -m ctexp.queue`.

The stand-in says what it was told (words separated by NUL) and takes its answers from files, so that a test
sees exactly what bash made of the script. What the real programs do has tests of its own.
"""

import os
import subprocess
from pathlib import Path

PYTHON = r"""#!/bin/bash
shift 3 # -P -m ctexp.queue
command=$1
shift
case $command in
    begin)
        printf '%s\0' "$@" >begin
        echo "$CTEXP_ROOT" >begin_root
        [[ " $* " != *" --dry-run "* ]] || { echo "checks passed"; exit 0; }
        mkdir -p queue
        while [[ $1 != --script ]]; do shift; done
        cp -- "$2" queue/queue.sh
        export CTEXP_QUEUE_DIR=$PWD/queue CTEXP_ROOT=$PWD CTEXP_QUEUE=plan_20260101-000000
        exec bash queue/queue.sh
        ;;
    next)
        [[ ! -e thought ]] || . ./thought
        read -r key <keys || exit 0
        sed -i 1d keys
        echo "$key"
        exit "$(cat next_code 2>/dev/null || echo 0)"
        ;;
    base)
        cat base
        exit "$(cat base_code 2>/dev/null || echo 0)"
        ;;
    end)
        echo "$1" >end
        echo "the night is over"
        exit "$1"
        ;;
    run | step)
        printf '%s\0' $(($# + 1)) "$command" "$@" >>calls
        echo "output of $1"
        [[ ! -e work ]] || . ./work
        ;;
esac
"""


def make_place(folder: Path, script: str, keys: list[str]) -> Path:
    """A project's folder: the script, the stand-in, and what `queue next` answers; the script's path."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / "scripts").mkdir()
    python = folder / ".venv" / "bin" / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    (folder / "keys").write_text("".join(f"{key}\n" for key in keys))
    path = folder / "scripts" / "plan.sh"
    path.write_text(script)
    return path


def environment() -> dict[str, str]:
    """Nothing of a night that this test might itself run in."""
    return {key: value for key, value in os.environ.items() if not key.startswith("CTEXP_")}


def bash(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end, from elsewhere."""
    return subprocess.run(
        ["bash", script, *words],
        cwd="/",
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def calls(folder: Path) -> list[list[str]]:
    """What `queue run` and `queue step` were called with, in order."""
    content = (folder / "calls").read_bytes() if (folder / "calls").exists() else b""
    words = content.decode().split("\0")[:-1]
    found = []
    while words:  # each call begins with how many words it has
        count = int(words[0])
        found.append(words[1 : count + 1])
        words = words[count + 1 :]
    return found
