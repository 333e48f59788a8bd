"""The project itself: first steps, the machine, development."""

from invoke.context import Context

from ctexp.cli.verb import verb


@verb("quickstart:quickstart")
def quickstart(_: Context, json: bool = False) -> None:
    """Train a first classifier on synthetic images."""


@verb("doctor:doctor")
def doctor(_: Context, json: bool = False) -> None:
    """Check this machine, say what to do about each problem.

    GPU and driver, disk, git, data sets, tracker, shell tools, Python and what is installed.
    """


@verb("dev:ruff", help={"check": "change nothing, say what would change"})
def ruff(_: Context, check: bool = False) -> None:
    """Lint and format the code."""


@verb("dev:check", help={"relock": "first write the lock files anew from a fresh resolve"})
def check(_: Context, relock: bool = False) -> None:
    """Check lint, format, types, imports, scripts and locks."""


@verb(
    "dev:test",
    name="test",
    help={
        "slow": "every test, the long ones too",
        "coverage": "count the branches they take; fails below 90 percent",
        "pytest": "more arguments for pytest, in quotes",
    },
)
def run_tests(_: Context, slow: bool = False, coverage: bool = False, pytest: str = "") -> None:
    """Run check and the fast tests, which is what CI runs."""


@verb("bench:bench", help={"only": "these alone: one, or several with commas between them"})
def bench(_: Context, only: str = "") -> None:
    """Run the benchmarks and write benchmarks/RESULTS.md."""
