"""What the metrics of faces and of persons share."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def own_copy(feature: Tensor) -> Tensor:
    """A feature (D,) in float32 on the CPU, fit to be sent to other processes.

    A row of a batch is a view, which would be sent with its whole batch.
    """
    return feature.detach().float().cpu().clone()


def check_ranks(ranks: Sequence[int]) -> None:
    """A ValueError unless all are whole numbers above 0."""
    wrong = [rank for rank in ranks if not isinstance(rank, int) or rank < 1]
    if wrong:
        raise ValueError(f'ranks are whole numbers from 1, got {wrong}')
