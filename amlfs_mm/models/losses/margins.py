"""The hand-made margins of face recognition as exact transforms t of the target's cosine.

Each is a module that satisfies :class:`amlfs_mm.search.protocols.Tangent`: ``tangent(cosine)``
gives slope and bias. The value of t is ``slope * x + bias``, its derivative ``slope``. The search
space has piecewise-linear fits of the same functions: :mod:`amlfs_mm.search.known_losses`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

LEAST_SINE = 0.01
"""ArcFace's slope is sin(angle + m) / sin(angle). A smaller sin(angle) counts as this there."""


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

    Where the angle with the margin would exceed pi, t is ``x - m sin m``, as in the authors' code
    and mmpretrain's ``ArcFaceClsHead``. At a cosine of 1 the slope has a pole, and both give NaN
    there. Here the slope is bounded within 0.6 degrees of the class weight. The value is exact.

    Args:
        m: The margin of the angle, in radians, in [0, pi / 2].

    Raises:
        ValueError: m is out of this range.
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

    Here ``psi(x) = (-1)^k cos(m arccos x) - 2k`` with ``k = floor(m arccos(x) / pi)``. lambda falls
    as in the authors' code: in the i-th training batch, counted from 1, it is
    ``max(least, start (1 + gamma i)^-power)``. The count is a buffer: a checkpoint has it.

    Args:
        m: The multiple of the angle, a whole number >= 1.
        start: lambda before the first batch.
        gamma: How fast lambda falls.
        power: The exponent of its fall.
        least: The least lambda.

    Raises:
        ValueError: m is not a whole number from 1 up, or another number is negative.
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
        """The present lambda, a scalar."""
        fallen = self.start * (1 + self.gamma * self.iteration.double()) ** -self.power
        return fallen.clamp(min=self.least)

    def tangent(self, cosine: Tensor) -> tuple[Tensor, Tensor]:
        """Slope and bias at each cosine (N,). A call in training counts as one batch."""
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
    """``T_m(x) = cos(m arccos x)`` and its derivative: polynomials, finite also at -1 and 1."""
    before, value = torch.ones_like(x), x
    derivative_before, derivative = torch.zeros_like(x), torch.ones_like(x)
    for _ in range(m - 1):
        derivative_before, derivative = (
            derivative,
            2 * value + 2 * x * derivative - derivative_before,
        )
        before, value = value, 2 * x * value - before
    return value, derivative
