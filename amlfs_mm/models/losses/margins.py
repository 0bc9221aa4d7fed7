"""The hand-made margins of face recognition as exact transforms t of the target's cosine.

Each is a module with ``tangent(cosine) -> (slope, bias)``, t's value being ``slope * x + bias`` and
its derivative ``slope``, as :class:`amlfs_mm.search.PiecewiseLinear` has it. The searched head
starts at fits of the same functions: :mod:`amlfs_mm.search.known_losses`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

LEAST_SINE = 0.01
"""ArcFace's slope sin(angle + m) / sin(angle) is that of this sine where the sine is smaller."""


@MODELS.register_module()
class AMSoftmaxMargin(nn.Module):
    """``t(x) = x - m``: AM-softmax (Wang et al. 2018, arXiv 1801.05599) and CosFace.

    Args:
        m: The margin of the cosine.
    """

    def __init__(self, m: float = 0.35) -> None:
        super().__init__()
        self.m = m

    def tangent(self, cosine: Tensor) -> tuple[Tensor, Tensor]:
        """Slope and bias at each cosine (N,)."""
        return torch.ones_like(cosine), torch.full_like(cosine, -self.m)


@MODELS.register_module()
class ArcFaceMargin(nn.Module):
    """``t(x) = cos(arccos x + m)``: ArcFace (Deng et al. 2019, arXiv 1801.07698).

    Where the angle with the margin would exceed pi, ``x - m sin m``, as the authors' code and
    mmpretrain's ``ArcFaceClsHead`` have it. Those give NaN at a cosine of 1, where the slope has a
    pole; here it is capped within 0.6 degrees of the class weight, and the value is exact.

    Args:
        m: The margin of the angle, in radians, in [0, pi / 2].
    """

    def __init__(self, m: float = 0.5) -> None:
        super().__init__()
        if not 0 <= m <= math.pi / 2:
            raise ValueError(f'ArcFace has a margin in [0, pi / 2] (radians), got m={m}')
        self.m = m

    def tangent(self, cosine: Tensor) -> tuple[Tensor, Tensor]:
        """Slope and bias at each cosine (N,); finite for all of [-1, 1]."""
        x = cosine.clamp(-1, 1)
        sine = (1 - x.square()).sqrt()
        value = x * math.cos(self.m) - sine * math.sin(self.m)
        slope = math.cos(self.m) + x * math.sin(self.m) / sine.clamp(min=LEAST_SINE)
        beyond = x <= math.cos(math.pi - self.m)
        slope = torch.where(beyond, 1.0, slope)
        value = torch.where(beyond, x - self.m * math.sin(self.m), value)
        return slope, value - slope * cosine


@MODELS.register_module()
class ASoftmaxMargin(nn.Module):
    """``t(x) = (lambda x + psi(x)) / (1 + lambda)``: A-softmax (SphereFace, arXiv 1704.08063).

    ``psi(x) = (-1)^k cos(m arccos x) - 2k`` with ``k = floor(m arccos(x) / pi)``.
    lambda is annealed as in the authors' code: ``max(least, start (1 + gamma i)^-power)`` in the
    i-th training batch, counted from 1. The count is a buffer: it is saved, resumed, handed over.

    Args:
        m: The multiple of the angle, a whole number >= 1.
        start: lambda before the first batch.
        gamma: How fast lambda falls.
        power: The exponent of its fall.
        least: Where it stops falling.
    """

    def __init__(
        self,
        m: int = 4,
        start: float = 1000.0,
        gamma: float = 0.12,
        power: float = 1.0,
        least: float = 5.0,
    ) -> None:
        super().__init__()
        if m != int(m) or m < 1:
            raise ValueError(f'A-softmax is defined for whole m >= 1, got m={m}')
        if min(start, gamma, power, least) < 0:
            raise ValueError(
                f'start={start}, gamma={gamma}, power={power} and least={least} must be >= 0'
            )
        self.m = int(m)
        self.start = start
        self.gamma = gamma
        self.power = power
        self.least = least
        self.register_buffer('iteration', torch.zeros((), dtype=torch.int64))

    @property
    def annealing(self) -> Tensor:
        """lambda as it stands, a scalar."""
        fallen = self.start * (1 + self.gamma * self.iteration.double()) ** -self.power
        return fallen.clamp(min=self.least)

    def tangent(self, cosine: Tensor) -> tuple[Tensor, Tensor]:
        """Slope and bias at each cosine (N,); a call in training counts as a batch."""
        if self.training:
            self.iteration += 1
        x = cosine.clamp(-1, 1)
        k = torch.floor(self.m * torch.arccos(x) / math.pi).clamp(0, self.m - 1)
        sign = 1 - 2 * (k % 2)
        value, derivative = chebyshev(x, self.m)
        annealing = self.annealing.to(cosine.dtype)
        slope = (annealing + sign * derivative) / (1 + annealing)
        value = (annealing * x + sign * value - 2 * k) / (1 + annealing)
        return slope, value - slope * cosine


def chebyshev(x: Tensor, m: int) -> tuple[Tensor, Tensor]:
    """``T_m(x) = cos(m arccos x)`` and its derivative, a polynomial and so finite at -1 and 1."""
    before, value = torch.ones_like(x), x
    derivative_before, derivative = torch.zeros_like(x), torch.ones_like(x)
    for _ in range(m - 1):
        derivative_before, derivative = (
            derivative,
            2 * value + 2 * x * derivative - derivative_before,
        )
        before, value = value, 2 * x * value - before
    return value, derivative
