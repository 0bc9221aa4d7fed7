"""A policy that learns the covariance too: CMA-ES, from the optional ``cmaes`` package."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .policy import normalise_rewards


class CMAESPolicy:
    """theta ~ N(mu, sigma^2 C), all three learned by CMA-ES (Hansen, arXiv 1604.00772).

    In place of :class:`GaussianPolicy`, with its methods. CMA-ES ranks the candidates, so a
    diverged one counts as the worst; it has no learning rate. Needs the extra ``search``:
    ``pip install amlfs_mm[search]``.

    Args:
        mean: mu_0 (D,).
        sigma: The first step size; C starts as the identity.

    Raises:
        ImportError: ``cmaes`` is not installed.
    """

    def __init__(self, mean: Tensor | Sequence[float], sigma: float = 0.2) -> None:
        try:
            import cmaes  # noqa: F401  (now, rather than after the first epoch)
        except ImportError as error:
            raise ImportError('CMAESPolicy needs cmaes: pip install amlfs_mm[search]') from error
        if not 0 < sigma < float('inf'):
            raise ValueError(f'sigma is a first step size, > 0 and finite, got {sigma}')
        self._start = torch.as_tensor(mean).detach().to('cpu', torch.float32, copy=True)
        self._first_sigma = float(sigma)
        self._told: list[dict] = []
        self._optimizer = None

    @property
    def mean(self) -> Tensor:
        """mu (D,), a copy."""
        if self._optimizer is None:
            return self._start.clone()
        return torch.tensor(self._optimizer.mean, dtype=torch.float32)

    @property
    def sigma(self) -> float:
        """The step size: with C it makes the spread of the candidates."""
        return self._first_sigma if self._optimizer is None else float(self._optimizer._sigma)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n candidates theta, (n, D) on the CPU.

        Raises:
            ValueError: n is below 4, or not what it was before.
        """
        self._build(n)
        self._optimizer.reseed_rng(int(torch.randint(2**32, (), generator=generator)))
        rows = [torch.from_numpy(self._optimizer.ask()) for _ in range(n)]
        return torch.stack(rows).float()

    def update(self, theta: Tensor, reward: Tensor) -> Tensor:
        """Move mu, sigma and C by the candidates' ranks; nothing if all rewards are equal.

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

    def state_dict(self) -> dict:
        """All that was told: a resumed search tells it again."""
        return dict(mean=self.mean, start=self._start.clone(), told=list(self._told))

    def load_state_dict(self, state: dict) -> None:
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
            self._build(len(told['loss']))
            self._tell(told)

    def _tell(self, told: dict) -> None:
        self._told.append(told)
        pairs = zip(told['theta'].numpy(), told['loss'].tolist(), strict=True)
        self._optimizer.tell(list(pairs))

    def _build(self, n: int) -> None:
        from cmaes import CMA

        if self._optimizer is None:
            if n < 4:  # with fewer it has one parent a generation, and no covariance to learn
                raise ValueError(f'CMA-ES needs parents: num_candidates must be >= 4, got {n}')
            start = self._start.double().numpy()
            self._optimizer = CMA(start, self._first_sigma, seed=0, population_size=n)
        elif n != self._optimizer.population_size:
            raise ValueError(
                f'CMA-ES began with {self._optimizer.population_size} candidates, got {n}: '
                'num_candidates must stay'
            )
