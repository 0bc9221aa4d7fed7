"""The spectral feature transform (Luo et al., arXiv 1811.11405)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def spectral_feature_transform(features: Tensor, temperature: float) -> Tensor:
    """Each feature as a mean over the batch, weighted by similarity.

    ``T x`` with T the row-wise softmax of ``cos(x_i, x_j) / temperature``, the diagonal included:
    the transition matrix of a random walk on the batch's similarity graph.

    Args:
        features: (N, D).
        temperature: Above 0; towards 0 every feature stays itself.

    Returns:
        (N, D). Gradients go through T as well.
    """
    unit = F.normalize(features)
    return (unit @ unit.T / temperature).softmax(dim=1) @ features
