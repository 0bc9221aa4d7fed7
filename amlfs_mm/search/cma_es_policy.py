"""A policy that learns the covariance too: CMA-ES, from the optional ``cmaes`` package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .policy import normalise_rewards


class CMAESPolicy:
    """theta ~ N(mu, sigma^2 C); CMA-ES learns mu, sigma and C (Hansen, arXiv 1604.00772).

    It takes the place of :class:`GaussianPolicy`. CMA-ES uses only the order of the rewards. A
    candidate that diverged counts as the worst. There is no learning rate. It needs the extra
    ``search``: ``pip install amlfs_mm[search]``.

    Args:
        mean: mu_0 (D,).
        sigma: The first step size. C starts as the identity.

    Raises:
        ImportError: ``cmaes`` is not installed.
        ValueError: sigma is not positive and finite.
    """

    def __init__(self, mean: Tensor | Sequence[float], sigma: float = 0.2) -> None:
        try:
            import cmaes  # noqa: F401  (fail now, not after the first epoch)
        except ImportError as error:
            raise ImportError("CMAESPolicy needs cmaes: pip install 'amlfs_mm[search]'") from error
        if not 0 < sigma < float('inf'):
            raise ValueError(f'sigma is a first step size, > 0 and finite, got {sigma}')
        self._start = torch.as_tensor(mean).detach().to('cpu', torch.float32, copy=True)
        self._first_sigma = float(sigma)
        self._told: list[dict[str, Tensor]] = []
        self._optimizer: Any = None  # a cmaes.CMA

    @property
    def mean(self) -> Tensor:
        """mu (D,), a copy."""
        if self._optimizer is None:
            return self._start.clone()
        return torch.tensor(self._optimizer.mean, dtype=torch.float32)

    @property
    def sigma(self) -> float:
        """The step size. The candidates' standard deviations are sigma times the root of C's."""
        return self._first_sigma if self._optimizer is None else float(self._optimizer._sigma)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n candidates theta, (n, D) on the CPU.

        Raises:
            ValueError: n is below 4, or another number than at the first call.
        """
        optimizer = self._optimizer_of(n)
        optimizer.reseed_rng(int(torch.randint(2**32, (), generator=generator)))
        rows = [torch.from_numpy(optimizer.ask()) for _ in range(n)]
        return torch.stack(rows).float()

    def update(self, theta: Tensor, reward: Tensor) -> Tensor:
        """Move mu, sigma and C by the candidates' ranks. Equal rewards change nothing.

        Args:
            theta: (B, D) the raw samples.
            reward: (B,) higher is better; NaN or infinite for a candidate that diverged.

        Returns:
            (B,) float64 the normalised rewards, for the record.
        """
        advantage = normalise_rewards(reward)
        if advantage.any():
            alive = torch.isfinite(reward)
            loss = torch.where(alive, -reward, 1 - reward[alive].min())
            self._tell(dict(theta=theta.double(), loss=loss.double()))
        return advantage

    def state_dict(self) -> dict[str, Any]:
        """mu_0 and every update so far. A resumed search repeats the updates."""
        return dict(mean=self.mean, start=self._start.clone(), told=list(self._told))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict()``.

        Raises:
            ValueError: The state belongs to a policy of another dimension.
        """
        if state['start'].shape != self._start.shape:
            raise ValueError(
                f'the saved policy has dimension {len(state["start"])}, this one '
                f'{len(self._start)}: build it over the same search space (same num_intervals)'
            )
        self._start, self._told, self._optimizer = state['start'].clone(), [], None
        for told in state['told']:
            self._tell(told)

    def _tell(self, told: dict[str, Tensor]) -> None:
        self._told.append(told)
        pairs = zip(told['theta'].numpy(), told['loss'].tolist(), strict=True)
        self._optimizer_of(len(told['loss'])).tell(list(pairs))

    def _optimizer_of(self, n: int) -> Any:
        """The optimizer of n candidates a round, made at the first call."""
        from cmaes import CMA

        if self._optimizer is None:
            if n < 4:  # with fewer, one parent a generation is left: no covariance to learn
                raise ValueError(f'CMA-ES: num_candidates must be >= 4, got {n}')
            start = self._start.double().numpy()
            self._optimizer = CMA(start, self._first_sigma, seed=0, population_size=n)
        elif n != self._optimizer.population_size:
            raise ValueError(
                f'CMA-ES began with {self._optimizer.population_size} candidates, got {n}: '
                'num_candidates must stay the same'
            )
        return self._optimizer
