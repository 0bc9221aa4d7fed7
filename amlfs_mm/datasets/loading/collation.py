"""Whether a loader puts samples together as OpenMMLab's loaders do by default."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch.utils.data
from mmengine.dataset import default_collate, pseudo_collate

USUAL = (pseudo_collate, default_collate, torch.utils.data.default_collate)


def collates_as_usual(collate_fn: Callable) -> bool:
    """Whether a batch that is made whole stands for what a ``collate_fn`` would make of samples.

    A ``collate_fn`` of one's own may change the samples: it has to see them.
    """
    return any(inner_collate(collate_fn) is usual for usual in USUAL)


def inner_collate(collate_fn: Callable) -> Callable:
    """The ``collate_fn`` without mmengine's ``partial`` and the check of labels around it."""
    if isinstance(collate_fn, partial) and not collate_fn.args and not collate_fn.keywords:
        return inner_collate(collate_fn.func)
    if getattr(collate_fn, 'only_checks', False):  # CheckedCollate, of a layer above
        return inner_collate(collate_fn.collate)
    return collate_fn
