"""What the metrics of faces and of persons share."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor


def features_on_host(data_samples: Sequence[dict[str, Any]]) -> list[Tensor]:
    """The ``feature`` (D,) of each sample of a batch, in float32 on the CPU.

    The host waits for the device once a batch, not once a sample. Each feature has memory of its
    own: a row of a batch is a view, and sending it to another process would send the whole batch.
    """
    if not data_samples:
        return []
    batch = torch.stack([sample['feature'].detach() for sample in data_samples])
    return [feature.clone() for feature in batch.float().cpu()]


def check_ranks(ranks: Sequence[int]) -> None:
    """Every rank is a whole number above 0.

    Raises:
        ValueError: A rank is something else.
    """
    wrong = [
        rank
        for rank in ranks
        if not isinstance(rank, Integral) or isinstance(rank, bool) or rank < 1
    ]
    if wrong:
        raise ValueError(f'ranks are whole numbers from 1, got {wrong}')


def check_fields(sample: dict[str, Any], fields: Sequence[str], metric: str) -> None:
    """A data sample has the fields that a metric reads.

    Args:
        sample: As a model leaves it, a dict.
        fields: Their names. The model sets ``feature``, the pipeline all others.
        metric: The metric's name, for the message.

    Raises:
        ValueError: A field is not there.
    """
    missing = [name for name in fields if name not in sample]
    if 'feature' in missing:
        raise ValueError(
            f"{metric} needs 'feature' of each data sample, which the model has not set: use "
            "model=dict(type='amlfs_mm.EmbeddingClassifier', ...)"
        )
    if missing:
        raise ValueError(
            f'{metric} needs {missing} of each data sample: name them in the meta_keys of the '
            "pipeline's PackInputs, and use a data set that has them"
        )
