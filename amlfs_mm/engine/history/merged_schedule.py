"""Several searches' schedules as one, smoothed over rounds, or as one loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from .loss_schedule import LossSchedule


def mean_over_searches(thetas: Sequence[Tensor]) -> Tensor:
    """The mean (T, D) of the losses of K searches, (T, D) each, in float64."""
    return torch.stack([theta.double() for theta in thetas]).mean(0)


def smooth(theta: Tensor, window: int) -> Tensor:
    """The moving mean (T, D) of losses (T, D) over ``window`` epochs.

    The window is centred. Near the ends it has the epochs that there are.

    Args:
        theta: (T, D).
        window: An odd number; 1 changes nothing.

    Raises:
        ValueError: The window is not an odd number from 1 up.
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f'the window to smooth over must be 1, 3, 5, ..., got {window}')
    half = window // 2
    rows = [theta[max(0, i - half) : i + half + 1].double().mean(0) for i in range(len(theta))]
    return torch.stack(rows)


def best_on_held_out_data(schedules: Sequence[LossSchedule]) -> LossSchedule:
    """The schedule of the search whose model has the highest reward on D_v; of equals the first.

    Raises:
        ValueError: A schedule has no rewards, or the searches had different rewards.
    """
    first = schedules[0]
    for other in schedules:
        if other.reward != first.reward:
            raise ValueError(
                f'the rewards of {first.path} and of {other.path} cannot be compared: they are '
                f'{first.reward!r} and {other.reward!r}'
            )
    return max(schedules, key=lambda schedule: schedule.model_reward())


def merge(schedules: Sequence[LossSchedule], by: str = 'mean', window: int = 1) -> dict:
    """The content of a ``loss_schedule.json`` that stands for several searches, or cleans one.

    It has as many epochs as the longest of the schedules that are taken. The others are stretched
    to it. Epochs in which all candidates diverged are filled as
    :meth:`LossSchedule.stretched` fills them. The config is left out.

    Args:
        schedules: One or more.
        by: ``'mean'``: the mean of all; ``'best'``: the one whose model has the highest reward on
            D_v.
        window: Smooth over so many epochs; see :func:`smooth`.

    Raises:
        ValueError: The searches had different search spaces, heads with different options, or for
            ``'best'`` different rewards; or an option is none of those above.
    """
    if by not in ('mean', 'best'):
        raise ValueError(f"by must be 'mean' or 'best', got {by!r}")
    first = schedules[0]
    for other in schedules:
        for what in ('search_space', 'head'):
            one, two = getattr(first, what), getattr(other, what)
            if one != two:
                raise ValueError(
                    f'{other.path} cannot be merged with {first.path}: its {what} is {two}, the '
                    f"other's is {one}"
                )
    taken = list(schedules) if by == 'mean' else [best_on_held_out_data(schedules)]
    length = max(map(len, taken))
    theta = smooth(mean_over_searches([s.stretched(length) for s in taken]), window)
    mu = smooth(mean_over_searches([s.stretched_mu(length) for s in taken]), window)
    epochs = [
        dict(epoch=i, round=i, candidate=0, stream=0, theta=shortest(a), mu=shortest(b))
        for i, (a, b) in enumerate(zip(theta, mu, strict=True), start=1)
    ]
    sources = [dict(file=Path(s.path).name, seed=s.seed, taken=s in taken) for s in schedules]
    return dict(
        merged=dict(by=by, smooth=window, sources=sources),
        seed=None,
        search_space=first.search_space,
        head=first.head,
        hand_over=first.hand_over,
        replicas=first.replicas,
        threads=first.threads,
        compute=dict(images_per_epoch=first.images_per_epoch),
        epochs=epochs,
    )


def merge_to_one_loss(schedules: Sequence[LossSchedule], by: str = 'mean') -> dict:
    """The content of a loss file with one loss for a whole training.

    It is the mean over the epochs of what :func:`merge` makes of the schedules.

    Args:
        schedules, by: As in :func:`merge`.

    Raises:
        ValueError: As :func:`merge` does.
    """
    merged = merge(schedules, by)
    theta = torch.tensor([epoch['theta'] for epoch in merged['epochs']], dtype=torch.float64)
    return dict(
        merged=merged['merged'] | dict(constant=True),
        search_space=merged['search_space'],
        head=merged['head'],
        theta=shortest(theta.mean(0)),
    )


def shortest(theta: Tensor) -> list[float]:
    """theta (D,) as the shortest decimals that give the same float32 numbers."""
    return [float(str(value)) for value in theta.float().numpy()]
