"""What a loss that changes over the training does to a sample."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib import pyplot as plt
from torch import Tensor

from amlfs_mm.search.protocols import SearchSpace, Transform

from .figures import GREY, panels
from .loss_plots import COSINE, PROBABILITY


def plot_loss_over_training(
    space: SearchSpace,
    theta: Tensor,
    progress: Sequence[float],
    title: str,
    min_slope: float = 0.01,
    columns: int = 2,
) -> plt.Figure:
    """Draw a sample's weight by its probability, and its margin by its cosine.

    The weight is ``p tau'(p) / tau(p)``, the factor by which tau multiplies the sample's gradient.
    It is 1 for softmax. tau is at least a tenth of its line's ``a p``, as with the head's
    ``tau_floor='relative'``: the weight is 10 at most. The margin is ``cos - t(cos)``, 0 for
    softmax.

    Args:
        space: Of the losses.
        theta: (T, D) the loss at each of the points.
        progress: T points of the training, from 0 to 1.
        title: Of the figure.
        min_slope: That of the head.
        columns: Panels in a row.
    """
    figure, (weight, margin) = panels(2, columns, height=4.0)
    points = list(zip(progress, theta, strict=True)) if len(theta) > 1 else [(None, theta[0])]
    for number, (point, one) in enumerate(points):
        colour = plt.colormaps['viridis'](0.9 * number / max(len(points) - 1, 1))
        label = 'the whole training' if point is None else f'at {point:.0%} of the training'
        t, tau = space.transforms(one, min_slope)
        p, x = torch.linspace(0, 1, 1001)[1:], torch.linspace(-1, 1, 1001)
        weight.plot(p, sample_weight(tau, p), color=colour, label=label)
        slope, bias = t.tangent(x)
        margin.plot(x, x - (slope * x + bias), color=colour, label=label)
    weight.axhline(1, color=GREY, linestyle=':', label='softmax')
    margin.axhline(0, color=GREY, linestyle=':', label='softmax')
    weight.set(xlabel=PROBABILITY, ylabel="weight $p\\,\\tau'(p) / \\tau(p)$", ylim=(0, None))
    margin.set(xlabel=COSINE, ylabel=r'margin $\cos\theta_y - t(\cos\theta_y)$')
    weight.legend(frameon=False, fontsize=8)
    for ax in (weight, margin):
        ax.grid(alpha=0.3)
    figure.suptitle(title)
    return figure


def sample_weight(tau: Transform, probability: Tensor) -> Tensor:
    """``p tau'(p) / tau(p)`` at each probability above 0, with tau >= 0.1 a p."""
    slope, bias = tau.tangent(probability)
    line = slope * probability
    share = (line + bias) / line
    return torch.where(share > 0.1, 1 / share, torch.ones_like(share))
