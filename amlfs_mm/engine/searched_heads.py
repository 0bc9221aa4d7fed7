"""Which heads of a model have a loss that can be searched."""

from __future__ import annotations

from mmengine.model import is_model_wrapper
from torch import nn


def find_heads(model: nn.Module) -> list[nn.Module]:
    """The modules whose loss is searched: those with a ``theta`` that can be set.

    Raises:
        ValueError: There is none, or they have different search spaces, or a theta from the config.
    """
    model = model.module if is_model_wrapper(model) else model
    heads = {}
    for name, module in model.named_modules():  # parents first
        # A head inside another one gets its part of theta from that.
        if hasattr(module, 'set_theta') and not any(name.startswith(f'{h}.') for h in heads):
            heads[name] = module
    if not heads:
        head = getattr(model, 'head', None)
        found = f'its head is {type(head).__name__}' if head is not None else 'it has no head'
        raise ValueError(
            f'found no AMLFSHead in {type(model).__name__} ({found}): set '
            "model.head.type='amlfs_mm.AMLFSHead'"
        )
    given = [name for name, head in heads.items() if getattr(head, 'theta_is_given', False)]
    if given:
        raise ValueError(
            f'the config gives {given} a theta, which would not be trained with: remove it, or the '
            'hook; a search starts from LossSearchHook(mu_0=...)'
        )
    spaces = {name: repr(head.search_space) for name, head in heads.items()}
    if len(set(spaces.values())) > 1:
        raise ValueError(
            f'all searched heads share one theta, but their search spaces differ: {spaces}. Give '
            'them the same num_intervals'
        )
    return list(heads.values())
