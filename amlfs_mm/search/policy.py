"""The distribution of loss functions and its REINFORCE update (Eq. 19, 20)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def normalise_rewards(reward: Tensor) -> Tensor:
    """Rewards (B,) as advantages (B,) of zero mean and unit variance (section 4.1).

    The standard deviation is that of the population. A candidate that diverged has a reward that
    is NaN or infinite. It is left out of mean and deviation, and gets the lowest advantage of the
    others. If all finite rewards are equal, all advantages are 0.

    Returns:
        (B,) float64 on the CPU.
    """
    advantage = torch.zeros(len(reward), dtype=torch.float64)
    reward = reward.to('cpu', torch.float64)
    alive = torch.isfinite(reward)
    if not alive.any() or reward[alive].min() == reward[alive].max():
        return advantage
    finite = reward[alive]
    advantage[alive] = (finite - finite.mean()) / (finite.std(correction=0) + 1e-8)
    advantage[~alive] = advantage[alive].min()
    return advantage


class GaussianPolicy:
    """theta ~ N(mu, sigma^2 I); REINFORCE and Adam learn mu (Eq. 19, 20).

    The paper prints the gradient of log g with respect to theta. The score function is the
    gradient with respect to mu, ``(theta - mu) / sigma^2``, which has the other sign.

    :class:`.protocols.Policy` says what another policy needs.

    Args:
        mean: mu_0 (D,), or its length D: mu then starts at 0.
        sigma: Standard deviation of every coordinate, fixed as in the paper. 0: every candidate is
            mu and mu never moves (the best-of-B control).
        lr: Adam's learning rate, the paper's eta. 0: mu never moves (section 4.6, random search).
        betas: Adam's.
        antithetic: Draw candidates in pairs mu + e, mu - e. Each has the same distribution as
            before, and the mean of the rewards adds no noise to the gradient.
        include_mean: Candidate 0 is mu itself. Its reward shows where the search stands. Its score
            is 0, so it moves mu only through the others' advantages.
        dim: D, in place of ``mean``.

    Raises:
        ValueError: Both or none of mean and dim are given, or an option is out of its range.
    """

    def __init__(
        self,
        mean: Tensor | Sequence[float] | int | None = None,
        sigma: float = 0.2,
        lr: float = 0.05,
        betas: tuple[float, float] = (0.9, 0.999),
        antithetic: bool = False,
        include_mean: bool = False,
        dim: int | None = None,
    ) -> None:
        if (dim is None) == (mean is None):
            raise ValueError('give exactly one of mean and dim')
        if not 0 <= sigma < float('inf'):
            raise ValueError(f'sigma is a standard deviation, >= 0 and finite, got {sigma}')
        if not 0 <= lr < float('inf'):
            raise ValueError(f'lr must be >= 0 and finite, got {lr}')
        start = mean if dim is None else dim
        start = torch.zeros(start) if isinstance(start, int) else torch.as_tensor(start)
        if start.ndim != 1 or not torch.isfinite(start).all():
            raise ValueError(f'mean must be a finite vector, got shape {tuple(start.shape)}')
        self._mu = start.detach().to('cpu', torch.get_default_dtype(), copy=True)
        self.sigma = float(sigma)
        self.antithetic = antithetic
        self.include_mean = include_mean
        self._optimizer = torch.optim.Adam([self._mu], lr=lr, betas=(betas[0], betas[1]))

    @property
    def mean(self) -> Tensor:
        """mu (D,), a copy."""
        return self._mu.clone()

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n candidates theta, (n, D) on the CPU (Eq. 19)."""
        drawn = n - self.include_mean
        if self.antithetic:
            half = torch.randn((drawn + 1) // 2, len(self._mu), generator=generator)
            noise = torch.stack([half, -half], dim=1).flatten(0, 1)[:drawn]
        else:
            noise = torch.randn(drawn, len(self._mu), generator=generator)
        if self.include_mean:
            noise = torch.cat([torch.zeros(1, len(self._mu)), noise])
        return self._mu + self.sigma * noise

    def update(self, theta: Tensor, reward: Tensor) -> Tensor:
        """Move mu towards candidates of high reward (Eq. 20).

        Args:
            theta: (B, D) the raw samples, before the loss clamps anything: the score is theirs.
            reward: (B,) higher is better; NaN or infinite for a candidate that diverged.

        Returns:
            (B,) float64 advantages. If all are 0, mu and Adam's state do not change.

        Raises:
            ValueError: theta does not have the shape (B, D).
        """
        if theta.shape != (len(reward), len(self._mu)):
            raise ValueError(
                f'theta has shape {tuple(theta.shape)}; {len(reward)} rewards and a policy of '
                f'dimension {len(self._mu)} need {(len(reward), len(self._mu))}'
            )
        advantage = normalise_rewards(reward)
        if self.sigma > 0 and advantage.any():
            score = (theta.to(self._mu) - self._mu) / self.sigma**2  # grad_mu log g, (B, D)
            ascent = (advantage.to(score) @ score) / len(reward)
            self._mu.grad = -ascent  # Adam descends
            self._optimizer.step()
            self._mu.grad = None
        return advantage

    def state_dict(self) -> dict[str, Any]:
        """mu, sigma and Adam's state, as copies. A resumed search goes on as if never stopped."""
        optimizer = copy.deepcopy(self._optimizer.state_dict())  # its tensors are the live ones
        return dict(mean=self.mean, sigma=self.sigma, optimizer=optimizer)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take mu and Adam's moments from ``state_dict()``; keep this policy's sigma and lr.

        Raises:
            ValueError: The state belongs to a policy of another dimension.
        """
        if state['mean'].shape != self._mu.shape:
            raise ValueError(
                f'the saved policy has dimension {len(state["mean"])}, this one {len(self._mu)}: '
                'build it over the same search space (same num_intervals)'
            )
        self._mu.copy_(state['mean'])
        lr = self._optimizer.param_groups[0]['lr']
        self._optimizer.load_state_dict(copy.deepcopy(state['optimizer']))
        self._optimizer.param_groups[0]['lr'] = lr
