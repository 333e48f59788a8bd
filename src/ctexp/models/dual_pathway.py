"""Two pathways, one answer: what a network sees beside what was measured by formula."""

import torch
from torch import Tensor, nn

_IMAGE, _MEASURED, _JOINT = 512, 128, (256, 128)


class DualPathway(nn.Module):
    """An image backbone (→ 512) and radiomics features (→ 128), concatenated → 256 → 128 → logits.

    Features are standardised on the training images, so that zero is the average image. Without features
    the network answers as for that one.

    Args:
        backbone: from images (B, C, H, W) to pooled features (B, F).
        image_features: F.
        num_features: columns of the second input.
        num_classes: logits to return.
        dropout: probability of dropping a feature before each joint layer.
    """

    def __init__(
        self, backbone: nn.Module, image_features: int, num_features: int, num_classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.backbone = backbone
        self.image = _layer(image_features, _IMAGE)
        self.measured = _layer(num_features, _MEASURED)
        self.joint = nn.Sequential(
            nn.Dropout(dropout),
            _layer(_IMAGE + _MEASURED, _JOINT[0]),
            nn.Dropout(dropout),
            _layer(_JOINT[0], _JOINT[1]),
            nn.Linear(_JOINT[1], num_classes),
        )

    def forward(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits (B, num_classes) of images (B, C, H, W) and features (B, num_features)."""
        if features is None:
            features = images.new_zeros(len(images), self.num_features)
        pathways = (self.image(self.backbone(images)), self.measured(features))
        logits: Tensor = self.joint(torch.cat(pathways, dim=1))
        return logits


def _layer(before: int, after: int) -> nn.Sequential:
    # Layer, not batch, normalisation: it does not care how many images a batch has.
    return nn.Sequential(nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU(inplace=True))
