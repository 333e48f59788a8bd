"""What a diagnosis says: of each possible bottleneck whether it was seen, by what, and how sure that is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal[
    "leakage",
    "noise_floor_unknown",
    "instability",
    "label_noise",
    "cut_short",
    "underfitting",
    "overfitting",
    "imbalance",
    "confused_pair",
    "calibration",
    "capacity",
    "resolution",
    "seed_variance",
]
"""In the order in which they matter: what makes figures untrue comes before what makes them low."""

State = Literal["seen", "not seen", "unknown"]
Confidence = Literal["high", "moderate", "low"]


@dataclass(frozen=True)
class Finding:
    """One possible bottleneck.

    Attributes:
        state: `unknown` where the records do not let anybody tell; `said` then says what is missing.
        confidence: of `seen` and `not seen`; None for `unknown`.
        why_so_sure: what the confidence rests on, a few words.
        said: one sentence with its figures, without a full stop.
        evidence: the figures by name; plain JSON values.
        about: what it is about, for moves that ask: classes, a metric; empty otherwise.
        headroom: what macro F1, or accuracy, would be higher by if there were nothing of it at all, roughly;
            None where nobody can tell, and where it was not seen.
        cites: ids of runs, or files, that it rests on.
        refuted_by: what would show that it is not so, a few words.
    """

    kind: Kind
    state: State
    said: str
    confidence: Confidence | None = None
    why_so_sure: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    about: tuple[str, ...] = ()
    headroom: float | None = None
    cites: tuple[str, ...] = ()
    refuted_by: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """All of them.

    Attributes:
        dataset: and `split`, of the study; None without one.
        recipes: how many were looked at; `runs` how many trainings.
        incumbent: title of the recipe that the findings are about, where they are about one.
        findings: one of each kind, in the order of `Kind`.
        bottleneck: the seen one that should be seen to first; None where none was seen with more than low
            confidence.
        suspected: where there is no bottleneck, the first that was seen with low confidence.
        established: differences between recipes that stand, a sentence each; often none.
        said: the whole in a sentence or two.
        notes: what was left out, one line each.
        guessing: whether the incumbent's answers may be guesses.
    """

    dataset: str | None
    split: str | None
    recipes: int
    runs: int
    incumbent: str | None
    findings: tuple[Finding, ...]
    bottleneck: Kind | None
    established: tuple[str, ...]
    said: str
    notes: tuple[str, ...] = ()
    guessing: bool = False
    suspected: Kind | None = None

    @property
    def seen(self) -> tuple[Finding, ...]:
        """Those that were seen."""
        return tuple(one for one in self.findings if one.state == "seen")

    def of(self, kind: Kind) -> Finding:
        """The one of a kind."""
        return next(one for one in self.findings if one.kind == kind)

    def document(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)
