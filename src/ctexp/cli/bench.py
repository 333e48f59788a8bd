"""`bench`: the benchmarks of `benchmarks/`, one after another, and what they said in its `RESULTS.md`."""

import ast
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from ctexp.core import clock, files, screen
from ctexp.core.errors import CriterionNotMet, UsageError
from ctexp.core.paths import project_root, shown

_AIM = re.compile(r"^aim: (.+): ([^:;]+); ([^:]+): (reached|missed)$", re.MULTILINE)
_SECTION = re.compile(r"^## (\w+)\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class _Benchmark:
    """One module that can be run, by its name in `benchmarks/`."""

    name: str
    about: str

    @property
    def module(self) -> str:
        return f"benchmarks.{self.name}"


def bench(only: str) -> None:
    """Run benchmarks and renew their sections of `benchmarks/RESULTS.md`; each is written as it ends.

    Args:
        only: which, with commas between them; empty for all.

    Raises:
        UsageError: there is no such benchmark.
        CriterionNotMet: one of them failed; what the others said is written.
    """
    root = project_root()
    results = root / "benchmarks" / "RESULTS.md"
    known = _known(root)
    chosen = [name for name in only.split(",") if name] or list(known)
    if unknown := [name for name in chosen if name not in known]:
        raise UsageError(f"bench: no benchmark {', '.join(unknown)}", f"there are {', '.join(known)}")
    failed = []
    for number, name in enumerate(chosen, 1):
        screen.note(f"== {name} ({number} of {len(chosen)})")
        section = _section(root, known[name])
        if section is None:
            failed.append(name)
            continue
        old = results.read_text() if results.exists() else ""
        sections = dict(_sections(old)) | {name: section}
        files.write_text(results, _page([sections[name] for name in known if name in sections]))
    print(shown(results))
    if failed:
        raise CriterionNotMet(f"failed: {', '.join(failed)}", "see what they said above")


def _known(root: Path) -> dict[str, _Benchmark]:
    """Every module of `benchmarks/` that can be run, by name."""
    folder = root / "benchmarks"
    found = {}
    for path in (*folder.glob("*.py"), *folder.glob("*/__main__.py")):
        text = path.read_text()
        if "__main__" in text:
            name = path.parent.name if path.name == "__main__.py" else path.stem
            said = ast.get_docstring(ast.parse(text)) or ""
            found[name] = _Benchmark(name, said.partition("\n")[0])
    return dict(sorted(found.items()))


def _section(root: Path, benchmark: _Benchmark) -> str | None:
    """What one benchmark printed, with where and when; None where it failed."""
    began, load = time.monotonic(), os.getloadavg()[0]
    said = []
    command = [sys.executable, "-u", "-m", benchmark.module]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        try:
            for line in process.stdout:
                screen.note(line.rstrip())
                said.append(line)
        except BaseException:
            process.terminate()  # our own end is not to leave it running
            raise
    if process.returncode:
        return None
    took = clock.duration(time.monotonic() - began)
    day = f"{datetime.now().astimezone():%Y-%m-%d}"
    return (
        f"## {benchmark.name}\n\n{benchmark.about}\n\n"
        f"{day}, {took}, load average {load:.1f} before it; {_machine()}.\n\n"
        f"```\n{''.join(said).rstrip()}\n```\n"
    )


def _machine() -> str:
    """Processor, cores, GPU, and the libraries that compute."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    gpus = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    named = [match[1] for path in gpus if (match := re.search(r"Model:\s+(.+)", path.read_text()))]
    return (
        f"{cpu[1] if cpu else platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
        f"{', '.join(named) or 'no GPU'}; Python {platform.python_version()}, torch {version('torch')}, "
        f"numpy {version('numpy')}"
    )


def _sections(page: str) -> list[tuple[str, str]]:
    return [(match[1], match[0].rstrip() + "\n") for match in _SECTION.finditer(page) if match[1] != "Aims"]


def _page(sections: Sequence[str]) -> str:
    """The whole page: aims first, then what each benchmark said."""
    rows = [
        f"| {section.split(maxsplit=2)[1]} | {what} | {value} | {bound} | {outcome} |"
        for section in sections
        for what, value, bound, outcome in _AIM.findall(section)
    ]
    aims = ["## Aims\n", "| benchmark | figure | is | aim | |", "| --- | --- | --- | --- | --- |", *rows]
    return "\n".join([_HEAD, "\n".join(aims), "", *sections])


_HEAD = """\
# What it costs

Written by `inv bench`, which runs every benchmark of this folder; `inv bench --only NAME` renews one section.
Medians with their spread; peers and limits were measured in the same run.
"""
