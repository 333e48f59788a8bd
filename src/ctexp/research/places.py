"""Where everything of the research lies, below the project's folder."""

import re
from dataclasses import dataclass
from pathlib import Path

_NO_MODULE = re.compile(r"[^A-Za-z0-9_]")


def module_name(name: str) -> str:
    """What an id is called as a file or folder of Python, of which no character hinders an import."""
    return _NO_MODULE.sub("_", name)


@dataclass(frozen=True)
class Places:
    """Paths of a project's research.

    Args:
        root: the project's folder.
        stub: those of a stub run, which never touches what real runs have left.
    """

    root: Path
    stub: bool = False

    @property
    def plan(self) -> Path:
        """The plan: what is asked, and when it is answered."""
        return self.root / "research" / "research_plan.yaml"

    @property
    def handlers(self) -> Path:
        """The folder of all handlers."""
        return self.root / "research" / "handlers"

    @property
    def results(self) -> Path:
        """The folder of what came of all experiments; committed, but for stubs."""
        return self.root / "research" / ("stub" if self.stub else "results")

    @property
    def findings(self) -> Path:
        """What the project has found so far."""
        return self.results / "FINDINGS.md" if self.stub else self.root / "research" / "FINDINGS.md"

    @property
    def summary(self) -> Path:
        """What came of all experiments, `results.yaml` of the project."""
        return self.results / "results.yaml" if self.stub else self.root / "research" / "results.yaml"

    def page(self, experiment: str) -> Path:
        """What people wrote about an experiment: why, and how it will be answered."""
        return self.root / "research" / "experiments" / f"{experiment}.md"

    def handler(self, experiment: str, sub: str) -> Path:
        """The program that answers a part of an experiment."""
        return self.handlers / module_name(experiment) / f"{module_name(sub)}.py"

    def of(self, experiment: str) -> Path:
        """The folder of what came of an experiment."""
        return self.results / experiment

    def record(self, experiment: str, sub: str) -> Path:
        """The record of a handler; see `record.Answer`."""
        return self.of(experiment) / f"{sub}.json"

    def artifacts(self, experiment: str, sub: str) -> Path:
        """The folder of what a handler saved."""
        return self.of(experiment) / "artifacts" / sub

    def experiment_results(self, experiment: str) -> Path:
        """Structured results of an experiment, `results.yaml`; made from its records."""
        return self.of(experiment) / "results.yaml"

    def experiment_findings(self, experiment: str) -> Path:
        """Findings of an experiment; their history is only ever added to."""
        return self.of(experiment) / "FINDINGS.md"
