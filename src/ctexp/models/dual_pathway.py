"""Two pathways, one answer: what a network sees beside what was measured by formula."""

from typing import Literal

import torch
from torch import Tensor, nn

_IMAGE, _MEASURED, _JOINT, _LAST = 512, 128, 256, 128


class DualPathway(nn.Module):
    """An image backbone (→ 512) and radiomics features (→ 128), fused to 256 → 128 → logits.

    Features are standardised on the training images, so that zero is the average image. That is what stands
    in for whatever is missing: no features at all, the features of one image withheld, a single value that is
    not a number.

    Args:
        backbone: from images (B, C, H, W) to pooled features (B, F).
        image_features: F.
        num_features: columns of the second input.
        num_classes: logits to return.
        fusion: concat, or gated, see `GatedFusion`.
        dropout: probability of dropping a feature before each joint layer.
        features_dropout: probability of withholding an image's features while training, all of them, so that
            the network learns to answer without.
    """

    def __init__(
        self,
        backbone: nn.Module,
        image_features: int,
        num_features: int,
        num_classes: int,
        *,
        fusion: Literal["concat", "gated"],
        dropout: float,
        features_dropout: float,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.features_dropout = features_dropout
        self.backbone = backbone
        self.image = _layer(image_features, _IMAGE)
        self.measured = _layer(num_features, _MEASURED)
        self.fusion = (GatedFusion if fusion == "gated" else Concatenation)(dropout)
        self.joint = nn.Sequential(nn.Dropout(dropout), _layer(_JOINT, _LAST), nn.Linear(_LAST, num_classes))

    def forward(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits (B, num_classes) of images (B, C, H, W) and features (B, num_features), NaN if missing."""
        return self.joined(self.image(self.backbone(images)), features)

    def joined(self, seen: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits (B, num_classes) of what the image pathway gave (B, 512) and features as for `forward`."""
        measured = self.measured(self._known(features, seen))
        logits: Tensor = self.joint(self.fusion(seen, measured))
        return logits

    def _known(self, features: Tensor | None, seen: Tensor) -> Tensor:
        """The features (B, num_features), average where they are missing or withheld."""
        if features is None:
            return seen.new_zeros(len(seen), self.num_features)
        features = torch.where(features.isnan(), 0.0, features)
        if not self.training or not self.features_dropout:
            return features
        shown = torch.rand(len(features), 1, device=features.device) >= self.features_dropout
        return torch.where(shown, features, 0.0)


class Concatenation(nn.Module):
    """Both pathways side by side, and a layer that sees both.

    Args:
        dropout: probability of dropping a feature of either.
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Dropout(dropout), _layer(_IMAGE + _MEASURED, _JOINT))

    def forward(self, image: Tensor, measured: Tensor) -> Tensor:
        """(B, 256) of (B, 512) and (B, 128)."""
        fused: Tensor = self.layer(torch.cat((image, measured), dim=1))
        return fused


class GatedFusion(nn.Module):
    """The gated multimodal unit (Arevalo et al. 2017): each image decides whom to trust, unit by unit.

    h = z · tanh(W_i image) + (1 - z) · tanh(W_m measured), where z = sigmoid(W_z [image, measured]).

    Args:
        dropout: probability of dropping a feature of either.
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.image = nn.Linear(_IMAGE, _JOINT)
        self.measured = nn.Linear(_MEASURED, _JOINT)
        self.gate = nn.Linear(_IMAGE + _MEASURED, _JOINT)

    def forward(self, image: Tensor, measured: Tensor) -> Tensor:
        """(B, 256) of (B, 512) and (B, 128)."""
        image, measured = self.dropout(image), self.dropout(measured)
        trust = self.gate(torch.cat((image, measured), dim=1)).sigmoid()
        fused: Tensor = trust * self.image(image).tanh() + (1 - trust) * self.measured(measured).tanh()
        return fused


def _layer(before: int, after: int) -> nn.Sequential:
    # Layer, not batch, normalisation: it does not care how many images a batch has.
    return nn.Sequential(nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU(inplace=True))
