"""A network small enough to learn on a processor in a minute: 0.2 million parameters, 16 pixels or more."""

import itertools

import torch
from torch import Tensor, nn

_WIDTHS = (16, 32, 64, 96)


class TinyCnn(nn.Module):
    """Four blocks of two convolutions, pooling by mean and by maximum, and one linear layer.

    The maximum is there because a lesion is small: averaged over the whole slice it drowns in anatomy.

    Args:
        in_channels: channels of the input image.
        num_classes: logits to return; with 0 the pooled features themselves, as timm's networks do.
        dropout: probability of dropping a pooled feature while training.
    """

    def __init__(self, in_channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        widths = itertools.pairwise((in_channels, *_WIDTHS))
        self.features = nn.Sequential(*(_block(before, after) for before, after in widths))
        self.dropout = nn.Dropout(dropout)
        self.num_features = 2 * _WIDTHS[-1]
        # What timm's networks tell of themselves: where maps of which width can be had.
        self.feature_info = [
            {"module": f"features.{place}", "num_chs": width, "reduction": 2 ** (place + 1)}
            for place, width in enumerate(_WIDTHS)
        ]
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, num_classes), or features (B, num_features), of images (B, in_channels, H, W)."""
        features = self.features(images)
        pooled = torch.cat((features.mean(dim=(2, 3)), features.amax(dim=(2, 3))), dim=1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits

    def group_matcher(self, coarse: bool = False) -> dict[str, str]:  # noqa: ARG002 - the blocks are all there is
        """The order of the parameters as timm's networks tell it; the first block is the stem."""
        return {"stem": r"^features\.0\.", "blocks": r"^features\.(\d+)"}


def _block(before: int, after: int) -> nn.Sequential:
    """Two 3x3 convolutions; the first halves each side."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
