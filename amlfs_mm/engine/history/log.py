"""What a user sees of a search: its layout and cost at the start, then a line for each round."""

from __future__ import annotations

import math

import torch
from mmengine.runner import Runner
from torch import Tensor

from ..distributed.population import Population
from ..options import SearchOptions
from ..state.memory import estimate_bytes
from .lineage import epoch_of_model


def log_start(
    runner: Runner,
    population: Population,
    options: SearchOptions,
    metrics: dict[str, float],
    num_states: int,
    states_on_host: bool,
) -> None:
    """Log layout, memory, sizes of the data and cost; warn if processes are wasted.

    Args:
        runner: Whose search begins.
        population: Its sub-runners.
        options: Of the search.
        metrics: Of the model at the start, on D_v.
        num_states: How many captured training states there are at a time.
        states_on_host: Whether captured training states lie in host memory.
    """
    num_candidates, reward = options.num_candidates, options.reward
    groups, replicas = population.num_sub_runners, population.replicas
    served = {len(population.candidates_of(k, num_candidates)) for k in range(groups)}
    runner.logger.info(
        f'Loss search: {groups * replicas} process(es) = {groups} sub-runner(s) x {replicas} '
        f'replica(s); {num_candidates} candidates, {" or ".join(map(str, sorted(served)))} each'
    )
    for line in describe_grid(population):
        runner.logger.info(line)
    if num_candidates - options.control == 1:
        runner.logger.warning(
            'one candidate a round is a sample of the policy: there is no other reward to compare '
            'its own with, and mu never moves'
        )
    if options.control:
        runner.logger.info(
            f'Control: candidate {num_candidates - 1} trains the loss mu_0 from its own state, '
            'beside the search'
        )
    if options.go_back_rule is not None:
        runner.logger.info(f'Going back to the best round so far: {options.go_back_rule}')
    states = num_states * estimate_bytes(runner) / 2**20
    place = 'host memory' if states_on_host else str(next(runner.model.parameters()).device)
    runner.logger.info(
        f'Memory: captured states take {states:.1f} MB a process on {place} (the start and the '
        f'best so far{", two of the control" if options.control else ""}'
        f'{", and what it may go back to" if options.go_back_rule else ""})'
    )
    runner.logger.info(
        f'Data: {len(runner.train_dataloader.dataset)} training samples, '
        f'{len(runner.val_dataloader.dataset)} in D_v for the reward {reward}, '
        f'{metrics[reward]:.{digits_of(metrics[reward])}f} at the start'
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


def describe_grid(population: Population, limit: int = 8) -> list[str]:
    """Lines that say where the first sub-runners run, and by which backend they hand over."""
    lines = [
        f'  sub-runner {k}: ' + ', '.join(f'rank {p.rank} on {p.node} {p.device}' for p in row)
        for k, row in enumerate(population.processes[:limit])
    ]
    if len(population.processes) > limit:
        lines.append(f'  ... and {len(population.processes) - limit} more')
    backend = population.hands_over_by
    if backend is not None:
        on_gpu = population.processes[0][0].device != 'cpu'
        shared = on_gpu and backend == 'gloo'
        note = ': sub-runners share GPUs, which NCCL does not allow' if shared else ''
        lines.append(f'  between sub-runners: {backend}{note}')
    return lines


def log_round(
    runner: Runner, name: str, records: list[dict], mu_distance: float, seconds: float
) -> None:
    """Log one line, and the scalars ``search/*`` to the visualizer's backends.

    Args:
        runner: Whose round it was.
        name: The reward's key.
        records: Of all rounds so far, as in ``loss_search.jsonl``.
        mu_distance: |mu - mu_0|.
        seconds: That the round took, with all candidates.
    """
    record = records[-1]
    summary = summarise(rewards_of(record))
    skipped = runner.train_dataloader.dataset.skipped  # unreadable images, replaced so far
    scalars = {f'search/reward_{key}': value for key, value in summary.items()}
    scalars |= {'search/mu_distance': mu_distance, 'search/unreadable': skipped}
    if 'control' in record:
        scalars['search/reward_control'] = control_of(record)
    if 'lineage' in record:
        scalars['search/model_of_epoch'] = epoch_of_model(records)
    for transform, shares in record['interval_share'].items():
        scalars |= {f'search/{transform}_{i}': share for i, share in enumerate(shares)}
    runner.visualizer.add_scalars(scalars, step=record['epoch'])
    runner.logger.info(
        f'{"Warm-up" if record["warmup"] else "Search"} epoch {record["epoch"]}/'
        f'{runner.max_epochs}: {name} {describe_round(record)}'
        + (f', {skipped} unreadable samples replaced so far' if skipped else '')
        + f'; {seconds:.1f} s; |mu - mu_0| {mu_distance:.3f}'
    )


def describe_round(record: dict) -> str:
    """The rewards of a round, and what became of it, in a few words."""
    summary = summarise(rewards_of(record))
    digits = digits_of(summary['best'])
    parts = [f'{key} {value:.{digits}f}' for key, value in summary.items()]
    parts[0] += f' (theta_{record["best"]})'
    if 'control' in record:
        parts.append(f'control {control_of(record):.{digits}f}')
    if lost := record['reward'].count(None):
        parts.append(f'{lost} diverged')
    if back_to := record.get('lineage', {}).get('went_back_to'):
        parts.append(f'back to epoch {back_to}')
    return ', '.join(parts)


def digits_of(reward: float) -> int:
    """How many decimals of a reward are shown: 2 of a percentage, 4 of a mean log probability."""
    return 4 if reward < 0 else 2


def rewards_of(record: dict) -> Tensor:
    """The rewards (B,) of a round, NaN where a candidate diverged."""
    return torch.tensor([math.nan if reward is None else reward for reward in record['reward']])


def control_of(record: dict) -> float:
    """The control's reward in a round that has one, NaN if it diverged."""
    reward = record['control']['reward']
    return math.nan if reward is None else reward


def warn_or_stop_after_lost_round(runner: Runner, records: list[dict], limit: int) -> None:
    """Warn that all candidates of the last round diverged, or stop the search.

    Raises:
        RuntimeError: It is the ``limit``-th such round in a row.
    """
    lost = 0
    for record in reversed(records):
        if record['best'] is not None:
            break
        lost += 1
    message = (
        f'all {len(records[-1]["theta"])} candidates diverged (loss, weights or reward not finite) '
        f'in epoch {records[-1]["epoch"]}'
    )
    if lost >= limit:
        raise RuntimeError(
            f'{message}, {lost} rounds in a row: lower the learning rate, clip gradients, or lower '
            'sigma'
        )
    runner.logger.warning(f'{message}: model and mu stay as they were before it')


def summarise(reward: Tensor) -> dict[str, float]:
    """Best, mean and population deviation of the finite rewards; NaN where there is none."""
    finite = reward[torch.isfinite(reward)]
    if not len(finite):
        return dict(best=math.nan, mean=math.nan, std=math.nan)
    return dict(
        best=finite.max().item(), mean=finite.mean().item(), std=finite.std(correction=0).item()
    )
