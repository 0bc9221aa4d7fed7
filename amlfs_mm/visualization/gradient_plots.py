"""Size of the loss's gradient against the target's cosine, for several models (Fig. 4)."""

from __future__ import annotations

import torch
from matplotlib import pyplot as plt
from torch import Tensor

from .figures import curve_style, panels

MIN_SAMPLES = 5
"""A bin with fewer samples than this has no point on the curve."""


def plot_gradients(
    gradients: dict[str, tuple[Tensor, Tensor]], bins: int = 40, columns: int = 2
) -> plt.Figure:
    """Draw the gradient's size by cosine, and beside it how the samples are distributed.

    The curve is the median of each bin; the area around it holds the middle 80 % of its samples.

    Args:
        gradients: For each model, under the name to show: cosine (N,) of each training sample with
            its class, and size of the gradient (N,) with respect to it, in nats.
        bins: Number of equal bins of the cosine from -1 to 1.
        columns: Panels in a row.

    Raises:
        ValueError: A model has no samples, or a value is not finite.
    """
    for name, values in gradients.items():
        if not all(len(v) and v.isfinite().all() for v in values):
            raise ValueError(f'cosines and gradients of {name!r} must be finite, one or more')
    figure, (curve, histogram) = panels(2, columns, height=4.0)
    edges = torch.linspace(-1, 1, bins + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    for i, (name, (cosine, gradient)) in enumerate(gradients.items()):
        index = torch.bucketize(cosine, edges[1:-1])
        count = torch.bincount(index, minlength=bins)
        share = torch.tensor([0.1, 0.5, 0.9])
        low, median, high = torch.stack(
            [
                gradient[index == k].quantile(share)
                if count[k] >= MIN_SAMPLES
                else share * torch.nan
                for k in range(bins)
            ],
            dim=1,
        )
        style = curve_style(i)
        curve.plot(centres, median, label=name, marker='.', **style)
        curve.fill_between(centres, low, high, color=style['color'], alpha=0.18, linewidth=0)
        histogram.stairs(100 * count / len(cosine), edges, label=name, linewidth=1.6, **style)
    curve.set(
        xlabel=r"target's cosine $\cos\theta_y$",
        ylabel=r'$|\partial L_i / \partial \cos\theta_y|$, nats',
        title='gradient of a sample: median, middle 80 %',
    )
    histogram.set(
        xlabel=r"target's cosine $\cos\theta_y$",
        ylabel='training samples, %',
        title='distribution of the samples',
    )
    curve.legend(frameon=False, fontsize=8)
    for ax in (curve, histogram):
        ax.grid(alpha=0.3)
    figure.suptitle(r"Gradient with respect to the target's activation $f_y = \cos\theta_y$")
    return figure
