"""What a plug-in of the search has to provide: the interfaces, and nothing else.

A plug-in is a plain class. It need not inherit from anything here: it only needs these methods.
Register it and name it by ``type`` in a config:

.. code-block:: python

    from amlfs_mm.registry import TASK_UTILS

    @TASK_UTILS.register_module()
    class MySpace: ...

    # config
    custom_imports = dict(imports=['amlfs_mm', 'my_package'])
    model = dict(head=dict(type='amlfs_mm.AMLFSHead', search_space=dict(type='MySpace')))
    custom_hooks = [dict(type='amlfs_mm.LossSearchHook', policy=dict(type='MyPolicy'), ...)]

====================  ==========================================  ============================
interface             classes of this package                     where a config names it
====================  ==========================================  ============================
:class:`SearchSpace`  ``SearchSpace``, ``MonotoneSearchSpace``,   ``AMLFSHead(search_space=)``
                      ``SearchSoftmaxSpace``,
                      ``BranchSearchSpace``
:class:`Transform`    ``PiecewiseLinear``, ``CeiledLinear``,      a search space makes it
                      ``SearchSoftmaxProbability``
:class:`Policy`       ``GaussianPolicy``, ``CMAESPolicy``         ``LossSearchHook(policy=)``
:class:`RewardFilter` ``NullReward``, ``IgnoreTies``              ``LossSearchHook(reward_filter=)``
====================  ==========================================  ============================

Shapes: D numbers a theta, M intervals, B candidates.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Tangent(Protocol):
    """A function of one number that is known by its tangent line. Margins need no more."""

    def tangent(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """The slope and the bias of the tangent at each x.

        A loss takes ``slope * x + bias`` as the value and ``slope`` as the derivative. Compute
        slope and bias without a gradient by x.

        Args:
            x: Values of any shape.

        Returns:
            Two tensors of x's shape, on x's device.
        """


@runtime_checkable
class Transform(Tangent, Protocol):
    """A transform t of the target's cosine or tau of its probability (Eq. 16, 17).

    An interval is what training statistics count. A smooth transform has one interval.
    """

    @property
    def num_intervals(self) -> int:
        """M, at least 1."""

    @property
    def edges(self) -> Tensor:
        """(M + 1,) The end points of the intervals, ascending."""

    def locate(self, x: Tensor) -> Tensor:
        """The interval of each value: int64, of x's shape, in [0, M)."""

    def tangent(self, x: Tensor, interval: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As :meth:`Tangent.tangent`; ``interval`` is ``locate(x)`` where the caller has it."""

    def __call__(self, x: Tensor) -> Tensor:
        """The function's value at each x, of x's shape."""

    def formulas(self, variable: str) -> list[str]:
        """The function as text, one line an interval. ``variable`` is the name of x."""


@runtime_checkable
class SearchSpace(Protocol):
    """The points theta (D,) and the pair of transforms (t, tau) of each (section 3.3).

    Files name a space by its ``repr``. It must be the call that makes the space, with literal
    arguments, such as ``MySpace(num_knots=4)``.
    """

    @property
    def dim(self) -> int:
        """D."""

    def split(self, theta: Tensor) -> Any:
        """The blocks of theta (D,) as views, a named tuple. Plots and reports use the names.

        Raises:
            ValueError: theta does not have the shape (D,).
        """

    def transforms(self, theta: Tensor, min_slope: float = ...) -> tuple[Transform, Transform]:
        """t on [-1, 1] and tau on [0, 1] of theta (D,), on theta's device.

        Every theta must give a loss: the policy samples from all of R^D. Replace numbers that
        give none, such as a slope below ``min_slope``, here. The policy learns from the raw
        theta.
        """

    def identity(self) -> Tensor:
        """The theta (D,) of t(x) = x and tau(p) = p: plain softmax. The search starts there."""

    def known_loss(self, name: str, **params: float) -> Tensor:
        """A hand-made loss as a theta (D,). ``'softmax'`` without parameters is the identity.

        Raises:
            ValueError: The space does not have this loss; the message lists those that it has.
        """


@runtime_checkable
class Policy(Protocol):
    """The distribution of theta, and how it learns from rewards (Eq. 19, 20).

    The constructor takes ``mean=mu_0``, a tensor (D,), and options from the config. All tensors
    are on the CPU. Every process makes the same calls and must get the same numbers.
    """

    @property
    def mean(self) -> Tensor:
        """mu (D,), a copy."""

    @property
    def sigma(self) -> float:
        """The standard deviation that records and plots show."""

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n candidates theta (n, D). All randomness comes from the generator."""

    def update(self, theta: Tensor, reward: Tensor) -> Tensor:
        """Learn from one round.

        Args:
            theta: (B, D) what ``sample`` gave.
            reward: (B,) higher is better; NaN or infinite for a candidate that diverged.

        Returns:
            (B,) float64, the advantages for the record.
        """

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed search needs; tensors and plain values, no live references."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict()``.

        Raises:
            ValueError: The state belongs to a policy of another dimension.
        """


@runtime_checkable
class RewardFilter(Protocol):
    """Turns the measured rewards into those that the policy learns from.

    The winner of the round is the best by the measured rewards in any case.
    """

    def __call__(self, reward: Tensor, generator: torch.Generator, num_scored: int) -> Tensor:
        """The rewards to learn from.

        Args:
            reward: (B,) measured; NaN or infinite for a candidate that diverged.
            generator: The only source of randomness, so that all processes agree.
            num_scored: How many validation samples each reward was measured on.

        Returns:
            (B,). If all are equal, the policy does not change.
        """
