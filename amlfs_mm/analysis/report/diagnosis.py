"""Reasons to doubt a run, as sentences: what a sceptical reader would check."""

from __future__ import annotations

import torch
from torch import Tensor

from amlfs_mm.models.losses.reference_loss import CONSTANT_FLOOR, RELATIVE_FLOOR
from amlfs_mm.search import BranchSearchSpace, PiecewiseLinear, SearchSpace
from amlfs_mm.search.protocols import Transform
from amlfs_mm.search.search_space import MIN_SLOPE

from ..runs.run import Run
from .null_drift import NullDrift
from .selection_bias import last_quarter

EMPTY = 0.01
"""A smaller share of samples than this counts as none."""


def diagnose(run: Run, null: NullDrift | None = None) -> list[str]:
    """Warnings about a run, the most serious first.

    Args:
        run: Any run.
        null: What random rewards do to the search's mu; None if its mu never moved.
    """
    if not run.records:
        return [text for text in [unfinished(run)] if text]
    checks = [
        reward_on_test(run),
        unfinished(run),
        control_is_kept(run),
        lost_rounds(run),
        drift_within_band(run, null),
        floored_tau(run),
        clamped_slopes(run),
        *empty_intervals(run),
        rounds_without_update(run),
    ]
    return [text for text in checks if text]


def reward_on_test(run: Run) -> str | None:
    """Warn if candidates were scored on the test data."""
    config = run.config
    if config.get('test_dataloader') and data_of(config.val_dataloader) == data_of(
        config.test_dataloader
    ):
        return (
            'The reward was measured on the test data: test results of this run are optimistic, '
            'since every epoch chose its winner there.'
        )
    return None


def data_of(dataloader: dict) -> dict:
    """Which data a loader reads: its data set without the transforms."""
    return {k: v for k, v in dataloader['dataset'].items() if k not in ('pipeline', 'metainfo')}


def unfinished(run: Run) -> str | None:
    """Warn if the run has fewer epochs than planned."""
    planned = run.config.train_cfg.max_epochs
    if run.epochs < planned:
        return f'The run is not finished: {run.epochs} of {planned} epochs.'
    return None


def control_is_kept(run: Run) -> str | None:
    """Warn if the control beside the search ended ahead of it."""
    if run.kept is None or run.kept.kept == 'search':
        return None
    return (
        'The control, which is the run without a search, is not behind on D_v: '
        f'{run.kept.comparison}. Its model is kept.'
    )


def lost_rounds(run: Run) -> str | None:
    """Warn of candidates that diverged, and of rounds in which all of them did."""
    rewards = [reward for record in run.records for reward in record['reward']]
    diverged = sum(reward is None for reward in rewards)
    if not diverged:
        return None
    lost = [str(record['epoch']) for record in run.records if record['best'] is None]
    text = f'{diverged} of {len(rewards)} candidates diverged.'
    if lost:
        text += f' In epoch {", ".join(lost)} all of them did: nothing was trained there.'
    return text


def drift_within_band(run: Run, null: NullDrift | None) -> str | None:
    """Warn if mu moved no further than random rewards would have moved it."""
    if null is None:
        return None
    mu_0, mu = (torch.tensor(v) for v in (run.records[0]['mu_before'], run.records[-1]['mu']))
    distance = (mu - mu_0).norm().item()
    limit = null.distance_band()[len(run.updates)].item()
    if distance > limit:
        return None
    return (
        f'mu moved by {distance:.2f}; random rewards move it by up to {limit:.2f} (95 % of '
        f'{null.num_searches} searches). This distance is no sign that the rewards guided mu.'
    )


def floored_tau(run: Run) -> str | None:
    """Warn if the floor of tau changed many of the winners' training samples."""
    shares = [share for record in run.searched if (share := floored_share(record, run)) is not None]
    if not shares or sum(shares) / len(shares) < EMPTY:
        return None
    mean, last = sum(shares) / len(shares), shares[-1]
    return (
        f"For about {mean:.0%} of the winners' training samples ({last:.0%} in the last round) the "
        'floor replaced tau, because the sampled tau was not positive there. The estimate assumes '
        'that samples are spread evenly within their interval.'
    )


def floored_share(record: dict, run: Run) -> float | None:
    """Share of the winner's samples whose tau the floor replaced; None if it is not known."""
    if record['best'] is None:
        return None
    share = torch.tensor(record['interval_share']['tau_interval'])
    taus = [tau for _, tau in branch_losses(run.search_space, record['theta'][record['best']])]
    parts = [floored_part(tau, run.tau_floor) for tau in taus if isinstance(tau, PiecewiseLinear)]
    if len(parts) < len(taus):  # another search space
        return None
    return sum((part * share).sum().item() for part in parts) / len(parts)


def floored_part(tau: PiecewiseLinear, floor: str) -> Tensor:
    """The part (M,) of each interval in which the floor replaces tau (see ``log_tau``)."""
    if floor == 'constant':
        limit = (CONSTANT_FLOOR - tau.bias) / tau.slope
    else:
        limit = -tau.bias / ((1 - RELATIVE_FLOOR) * tau.slope)
    lower, upper = tau.edges[:-1], tau.edges[1:]
    return ((limit - lower) / (upper - lower)).clamp(0, 1)


def branch_losses(
    space: SearchSpace | BranchSearchSpace, theta: list[float]
) -> list[tuple[Transform, Transform]]:
    """t and tau of each branch; a space that is no ``BranchSearchSpace`` has one branch."""
    point = torch.tensor(theta)
    if isinstance(space, BranchSearchSpace):
        return [space.space.transforms(branch) for branch in space.branches(point)]
    return [space.transforms(point)]


def clamped_slopes(run: Run) -> str | None:
    """Warn of sampled slopes below the smallest one that is allowed, which replaced them."""
    slopes = torch.cat(
        [
            transform.slope
            for record in run.searched
            for theta in record['theta']
            for pair in branch_losses(run.search_space, theta)
            for transform in pair
            if isinstance(transform, PiecewiseLinear)
        ]
        or [torch.ones(0)]
    )
    clamped = (slopes == MIN_SLOPE).sum().item()
    if not clamped:
        return None
    return f'{clamped / len(slopes):.1%} of the sampled slopes were below {MIN_SLOPE} and clamped.'


def empty_intervals(run: Run) -> list[str]:
    """Warn of intervals without samples: their part of theta is a random walk."""
    if not run.moves_mu:
        return []
    recent = [r['interval_share'] for r in last_quarter(run.searched) if r['best'] is not None]
    texts = []
    for transform, name in (('t_interval', 't'), ('tau_interval', 'tau')):
        if not recent or not recent[0].get(transform):
            continue
        share = torch.tensor([record[transform] for record in recent]).mean(0)
        empty = [str(i + 1) for i in range(len(share)) if share[i] < EMPTY]
        if empty:
            texts.append(
                f'Empty intervals of {name}: {", ".join(empty)} of {len(share)} (less than 1 % of '
                "the winners' samples, last quarter of the epochs). Their parameters move at "
                'random.'
            )
    return texts


def rounds_without_update(run: Run) -> str | None:
    """Warn of rounds without an update of mu, if mu moves at all."""
    rounds = len(run.searched) - len(run.updates)
    if not rounds or not run.moves_mu:
        return None
    return (
        f'{rounds} of {len(run.searched)} rounds did not update mu: the policy saw no difference '
        'between their candidates.'
    )
