"""AMLFSHead's loss for one sample at a time in float64, and problems to compare both on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.models import AMLFSHead
from amlfs_mm.search import SearchSpace

SCALES = [None, 14.0, 30.0, 64.0]
FLOORS = ['relative', 'constant']
NAN, INF = float('nan'), float('inf')


class Sample(NamedTuple):
    """One sample as Eq. 4, 16, 17 see it, in float64."""

    loss: float
    cosine: float
    probability: float
    t_interval: int
    tau_interval: int
    value: float  # a p + b
    least: float  # the floor of tau


def naive_sample(
    x: np.ndarray,
    weight: np.ndarray,
    y: int,
    theta: np.ndarray,
    scale: float | None,
    floor: str,
) -> Sample:
    """Eq. 4, 16 and 17 for one sample. x (D,), weight (C, D), theta (4M,); all float64."""
    m = len(theta) // 4
    t_slope, t_bias, tau_slope, tau_bias = theta.reshape(4, m)
    x_norm, w_norm = np.sqrt((x**2).sum()), np.sqrt((weight**2).sum(1))
    cosine = (weight @ x) / (w_norm * x_norm)
    n = w_norm * x_norm if scale is None else np.full(len(weight), scale)
    # Eq. 4: the target's cosine, and no other, goes through t
    logits = n * cosine
    i = min(max(math.floor((cosine[y] + 1) / 2 * m), 0), m - 1)
    logits[y] = n[y] * (max(t_slope[i], 0.01) * cosine[y] + t_bias[i])
    top = logits.max()
    log_p = logits[y] - top - math.log(np.exp(logits - top).sum())
    p = math.exp(log_p)
    # Eq. 16: -log tau(p)
    j = min(math.floor(p * m), m - 1)
    a, b = max(tau_slope[j], 0.01), tau_bias[j]
    value = a * p + b
    least = 0.1 * a * p if floor == 'relative' else 0.01
    return Sample(-math.log(max(value, least)), cosine[y], p, i, j, value, least)


def naive_batch(
    x: np.ndarray, weight: np.ndarray, y: list, theta: Tensor, scale: float | None, floor: str
) -> list[Sample]:
    theta = theta.double().numpy()
    return [naive_sample(x[k], weight, y[k], theta, scale, floor) for k in range(len(x))]


def distance_to_edge(position: float, m: int) -> float:
    """How far a position, counted in intervals, is from the nearest inner edge."""
    return min((abs(position - i) for i in range(1, m)), default=INF)


def decided(sample: Sample, m: int, cosine: float, probability: float, floor: float) -> bool:
    """Whether a sample is farther from t's edges, tau's edges and the floor's kink than that."""
    return (
        distance_to_edge((sample.cosine + 1) / 2 * m, m) > cosine * m / 2
        and distance_to_edge(sample.probability * m, m) > probability * m
        and abs(sample.value - sample.least) > floor * max(sample.value, sample.least)
    )


def make_theta(kind: str, seed: int, num_intervals: int = 6) -> Tensor:
    random = torch.Generator().manual_seed(1000 + seed)
    identity = SearchSpace(num_intervals).identity()
    if kind == 'identity':
        return identity
    if kind == 'small slopes':  # many of them below the clamp of 0.01
        parts = SearchSpace(num_intervals).split(identity)
        parts.t_slope.uniform_(-0.5, 1.5, generator=random)
        parts.tau_slope.uniform_(-1, 1, generator=random)
        parts.t_bias.uniform_(-0.2, 0.2, generator=random)
        parts.tau_bias.uniform_(-0.1, 0.5, generator=random)
        return identity
    return identity + float(kind) * torch.randn(len(identity), generator=random)


def make_problem(
    num_classes: int, seed: int, n: int = 64, d: int = 16
) -> tuple[Tensor, Tensor, list]:
    """Features (n, d), weights (C, d) and labels. The target's cosine is uniform on [-1, 1], and
    lengths go up to 20, so that a plain head's probabilities reach 0 and 1."""
    random = torch.Generator().manual_seed(seed)
    weight = 0.4 * torch.randn(num_classes, d, generator=random)
    y = torch.randint(num_classes, (n,), generator=random)
    along = F.normalize(weight[y])
    across = torch.randn(n, d, generator=random)
    across = F.normalize(across - (across * along).sum(1, keepdim=True) * along)
    cosine = 2 * torch.rand(n, 1, generator=random) - 1
    length = 20 * torch.rand(n, 1, generator=random)
    return length * (cosine * along + (1 - cosine**2).sqrt() * across), weight, y.tolist()


def make_head(weight: Tensor, theta: Tensor | None = None, **options) -> AMLFSHead:
    head = AMLFSHead(*weight.shape, **options)
    with torch.no_grad():
        head.fc.weight.copy_(weight)
    if theta is not None:
        head.set_theta(theta)
    return head


def labels(y: list) -> list[DataSample]:
    return [DataSample().set_gt_label(k) for k in y]


def losses_of(head: AMLFSHead, x: Tensor, y: list) -> np.ndarray:
    """The head's loss of each sample."""
    with torch.no_grad():
        return head.per_sample_loss(head((x,)), x, torch.tensor(y)).double().numpy()
