"""The batch-hard triplet loss, as torchreid has it, without waiting for the device."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.autocast import without_autocast


@MODELS.register_module()
class BatchHardTripletLoss(nn.Module):
    """The mean over anchors of ``max(0, margin + farthest positive - nearest negative)``.

    Distances are Euclidean, of features that are not normalised, within the batch of this process,
    in float32 (Hermans et al., arXiv 1703.07737). The numbers are those of
    ``torchreid.reid.losses.TripletLoss``. That one takes the anchors one by one, and a GPU would
    wait for the host twice an anchor.

    Args:
        margin: As above.
        loss_weight: A factor of the loss.
    """

    def __init__(self, margin: float = 0.3, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.margin = margin
        self.loss_weight = loss_weight

    def forward(self, features: Tensor, target: Tensor) -> Tensor:
        """The loss of features (N, D) with labels (N,).

        Raises:
            ValueError: All labels are equal: there is no negative. The host does not wait for a
                GPU: there it is a RuntimeError, which CUDA reports later.
        """
        check_negatives(target)
        with without_autocast(features):
            distance = euclidean_distances(features.float())
            same = target[:, None] == target
            farthest = distance.where(same, 0).amax(dim=1)
            nearest = distance.where(~same, math.inf).amin(dim=1)
            further = torch.ones_like(nearest)  # which of the two shall be larger
            loss = F.margin_ranking_loss(nearest, farthest, further, self.margin)
            return self.loss_weight * loss


def euclidean_distances(features: Tensor) -> Tensor:
    """(N, N) between features (N, D), at least 1e-6: the root has a finite gradient there."""
    squares = features.pow(2).sum(dim=1, keepdim=True).expand(-1, len(features))
    squared = torch.addmm(squares + squares.T, features, features.T, alpha=-2)
    return squared.clamp(min=1e-12).sqrt()


def check_negatives(target: Tensor) -> None:
    """A batch has two identities at least.

    Raises:
        ValueError: All labels (N,) are equal.
    """
    message = (
        f'the batch has {len(target)} images of one identity and no negative for a triplet: each '
        'process needs two identities (batch_size >= 2 x num_instances x replicas)'
    )
    differ = (target != target[0]).any()
    if target.device.type != 'cpu':
        torch._assert_async(differ, message)
    elif not differ:
        raise ValueError(message)
