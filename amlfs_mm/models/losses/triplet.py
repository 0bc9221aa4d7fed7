"""The batch-hard triplet loss, as torchreid has it."""

from __future__ import annotations

from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.autocast import without_autocast
from amlfs_mm.utils.optional_imports import import_torchreid


@MODELS.register_module()
class BatchHardTripletLoss(nn.Module):
    """Mean over anchors of ``max(0, margin + farthest positive - nearest negative)``.

    Euclidean distances within the batch that this process has; mining and loss are
    ``torchreid.reid.losses.TripletLoss`` (Hermans et al., arXiv 1703.07737), in float32.

    Args:
        margin: As above; distances are of features that are not normalised.
        loss_weight: Factor.

    Raises:
        ImportError: torchreid is not installed.
    """

    def __init__(self, margin: float = 0.3, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.triplet = import_torchreid('losses').TripletLoss(margin)
        self.loss_weight = loss_weight

    def forward(self, features: Tensor, target: Tensor) -> Tensor:
        """The loss of features (N, D) with labels (N,).

        Raises:
            ValueError: All labels are equal, so that there is no negative.
        """
        if (target == target[0]).all():
            raise ValueError(
                f'the batch has {len(target)} images of one identity and no negative for a '
                'triplet: each process needs two identities (batch_size >= 2 x num_instances x '
                'replicas)'
            )
        with without_autocast(features):
            return self.loss_weight * self.triplet(features.float(), target)
