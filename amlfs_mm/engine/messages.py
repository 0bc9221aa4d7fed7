"""What a person sees of a search: its layout and cost at the start, then a line an epoch."""

from __future__ import annotations

import math

import torch
from mmengine.runner import Runner
from torch import Tensor

from .population import Population


def announce(
    runner: Runner, population: Population, num_candidates: int, reward: str, start_reward: float
) -> None:
    """Log the layout, the sizes of the data, the cost, and a warning if processes are wasted."""
    groups, replicas = population.num_sub_runners, population.replicas
    served = {len(population.candidates_of(k, num_candidates)) for k in range(groups)}
    runner.logger.info(
        f'Loss search: {groups * replicas} process(es) = {groups} sub-runner(s) x {replicas} '
        f'replica(s); {num_candidates} candidates, {" or ".join(map(str, sorted(served)))} each'
    )
    runner.logger.info(
        f'Data: {len(runner.train_dataloader.dataset)} training samples, '
        f'{len(runner.val_dataloader.dataset)} in D_v for the reward {reward}, '
        f'{start_reward:.2f} at the start'
    )
    runner.logger.info(
        f'Cost: an epoch trains and evaluates {num_candidates} models, {num_candidates} x the '
        f'compute of the baseline and about {max(served)} x its time'
    )
    if groups > num_candidates:
        runner.logger.warning(
            f'{groups} sub-runners for {num_candidates} candidates: {groups - num_candidates} of '
            'them repeat work that is not used. Raise num_candidates or replicas_per_candidate, '
            'or start fewer processes'
        )


def tell_epoch(
    runner: Runner,
    name: str,
    reward: Tensor,
    winner: int | None,
    mu_distance: float,
    interval_share: dict[str, list[float]],
    seconds: float,
) -> None:
    """Log one line, and the scalars ``search/*`` to the visualizer's backends.

    Args:
        runner: Whose epoch it was.
        name: The reward's key.
        reward: (B,), NaN where a candidate diverged.
        winner: The winner's index, None if all diverged.
        mu_distance: |mu - mu_0|.
        interval_share: Share of the winner's training samples in each interval of t and tau.
        seconds: That the epoch took, all candidates.
    """
    summary = summarise(reward)
    scalars = {f'search/reward_{key}': value for key, value in summary.items()}
    scalars['search/mu_distance'] = mu_distance
    for transform, shares in interval_share.items():
        scalars |= {f'search/{transform}_{i}': share for i, share in enumerate(shares)}
    runner.visualizer.add_scalars(scalars, step=runner.epoch + 1)
    lost = int(torch.isnan(reward).sum())
    runner.logger.info(
        f'Search epoch {runner.epoch + 1}/{runner.max_epochs}: {name} best {summary["best"]:.2f} '
        f'(theta_{winner}), mean {summary["mean"]:.2f}, std {summary["std"]:.2f}'
        + (f', {lost} diverged' if lost else '')
        + f'; {seconds:.1f} s; |mu - mu_0| {mu_distance:.3f}'
    )


def summarise(reward: Tensor) -> dict[str, float]:
    """Best, mean and population deviation of the finite rewards; NaN where there is none."""
    finite = reward[torch.isfinite(reward)]
    if not len(finite):
        return dict(best=math.nan, mean=math.nan, std=math.nan)
    return dict(
        best=finite.max().item(), mean=finite.mean().item(), std=finite.std(correction=0).item()
    )
