"""The gradient's size against the target's cosine, baseline and searched: the paper's Fig. 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from matplotlib import pyplot as plt

from .figures import curve_style, panels

if TYPE_CHECKING:
    from amlfs_mm.analysis.gradients import TargetGradients


def plot_gradients(
    gradients: dict[str, TargetGradients], bins: int = 40, columns: int = 2
) -> plt.Figure:
    """Median and middle 80 % of the gradient's size by cosine; beside it where the samples lie.

    Args:
        gradients: Of each model, under the name to show.
        bins: Equal bins of the cosine from -1 to 1; of the curves, those with 5 samples or more.
        columns: Panels beside each other.
    """
    figure, (curve, histogram) = panels(2, columns, height=4.0)
    edges = torch.linspace(-1, 1, bins + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    for i, (name, (cosine, gradient)) in enumerate(gradients.items()):
        index = torch.bucketize(cosine, edges[1:-1])
        count = torch.bincount(index, minlength=bins)
        share = torch.tensor([0.1, 0.5, 0.9])
        low, median, high = torch.stack(
            [
                gradient[index == k].quantile(share) if count[k] >= 5 else share * torch.nan
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
        title='where the samples lie',
    )
    curve.legend(frameon=False, fontsize=8)
    for ax in (curve, histogram):
        ax.grid(alpha=0.3)
    figure.suptitle(r"Gradient with respect to the target's activation $f_y = \cos\theta_y$")
    return figure
