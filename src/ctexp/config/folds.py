"""The overrides of a cross-validation: everybody's, and what it says itself of each of its trainings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_OURS = re.compile(r"(?:\+\+?)?(?P<key>seed|data\.split|data\.fold)=(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True)
class FoldWords:
    """Overrides of a cross-validation.

    Attributes:
        kept: those of every training.
        given: those of `seed` and `data.split`, by key.
        problems: a line for each that a cross-validation cannot take.
    """

    kept: tuple[str, ...]
    given: Mapping[str, str]
    problems: tuple[str, ...]

    @classmethod
    def of(cls, overrides: Sequence[str]) -> "FoldWords":
        """Tell them apart."""
        kept, given, problems = [], {}, []
        for text in overrides:
            match = _OURS.fullmatch(text)
            if match is None:
                kept.append(text)
            elif match["key"] == "data.fold":
                problems.append(f"{text}: every fold is trained; leave it out")
            elif match["key"] == "data.split" and match["value"].strip("\"'") != "kfold":
                problems.append(f"{text}: a cross-validation uses data.split=kfold; leave it out")
            else:
                given[match["key"]] = text
        return cls(tuple(kept), given, tuple(problems))

    @property
    def first(self) -> list[str]:
        """The overrides of the training of the first fold."""
        split = [] if "data.split" in self.given else ["data.split=kfold"]
        return [*self.kept, *self.given.values(), *split, "data.fold=0"]
