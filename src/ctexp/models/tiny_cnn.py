"""A network small enough for smoke tests: 24 thousand parameters, any image size from 16 pixels."""

import itertools

from torch import Tensor, nn


class TinyCnn(nn.Module):
    """Three strided convolution blocks, global average pooling and one linear layer.

    Args:
        in_channels: channels of the input image.
        num_classes: logits to return.
        dropout: probability of dropping a pooled feature while training.
    """

    def __init__(self, in_channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        widths = (in_channels, 16, 32, 64)
        self.features = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
                    nn.BatchNorm2d(after),
                    nn.ReLU(inplace=True),
                )
                for before, after in itertools.pairwise(widths)
            )
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, in_channels, H, W)."""
        pooled = self.features(images).mean(dim=(2, 3))
        logits: Tensor = self.head(self.dropout(pooled))
        return logits
