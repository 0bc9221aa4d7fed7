"""The spectral feature transform (Luo et al., arXiv 1811.11405)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def spectral_feature_transform(features: Tensor, temperature: float) -> Tensor:
    """Each feature as a mean over the batch, weighted by similarity: ``T x``.

    T is the softmax over each row of ``cos(x_i, x_j) / temperature``, with the diagonal. It is the
    transition matrix of a random walk on the similarity graph of the batch.

    Args:
        features: x (N, D).
        temperature: Above 0. The nearer to 0, the nearer is T to the identity.

    Returns:
        (N, D). T has a gradient too.
    """
    unit = F.normalize(features)
    return (unit @ unit.T / temperature).softmax(dim=1) @ features
