"""How deep in a network each parameter is: stages are counted from the image to the answer.

Stage 0 takes the image in. The last is the head: the classifier, the fusion of two pathways, and whatever
else comes after all stages. Attention belongs to the stage it follows. timm knows the order of its own
networks (`group_matcher`), and our small one answers in the same way.
"""

from dataclasses import dataclass

from timm.models._manipulate import group_with_matcher
from torch import nn

from ctexp.models.dual_pathway import DualPathway

_AFTER_ALL = "?"  # no network has a part of this name, so it lands where the head does

_BACKBONE = "backbone."


@dataclass(frozen=True)
class Depth:
    """The stages of a network.

    Attributes:
        stages: the stage of each parameter, by its name.
        head: the number of the last stage; 0 where a network does not tell its order.
    """

    stages: dict[str, int]
    head: int

    @classmethod
    def of(cls, model: nn.Module) -> "Depth":
        """Ask a network; one that does not tell is all head."""
        names = [name for name, _ in model.named_parameters()]
        if isinstance(model, DualPathway):
            backbone = cls.of(model.backbone)
            return cls(
                {name: backbone.stages.get(name.removeprefix(_BACKBONE), backbone.head) for name in names}
                | {name: backbone.head for name in names if not name.startswith(_BACKBONE)},
                backbone.head,
            )
        matcher = getattr(model, "group_matcher", None)
        if matcher is None:
            return cls(dict.fromkeys(names, 0), 0)
        named = ((name, None) for name in (*names, _AFTER_ALL))
        stages: dict[str, int] = group_with_matcher(named, matcher(coarse=True), reverse=True)
        head = stages.pop(_AFTER_ALL)
        return cls(stages, head)

    @property
    def is_known(self) -> bool:
        """Whether there are stages before the head, and parameters in it."""
        return self.head > 0 and self.head in self.stages.values()

    @property
    def stem(self) -> frozenset[str]:
        """The parameters that the image meets first; none where the head does."""
        return frozenset(name for name, stage in self.stages.items() if stage == 0 < self.head)
