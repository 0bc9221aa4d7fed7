"""Which heads of a model have a loss that can be searched."""

from __future__ import annotations

from typing import Any, Protocol, cast

from torch import Tensor, nn

from amlfs_mm.utils.model_wrappers import unwrapped


class SearchedHead(Protocol):
    """What a search needs of a head. :class:`amlfs_mm.models.AMLFSHead` has it."""

    num_classes: int
    search_space: Any

    def set_theta(self, theta: Tensor) -> None:
        """Compute the loss with theta (D,) from now on, and count intervals anew."""

    def interval_counts(self) -> dict[str, Tensor]:
        """Training samples in each interval of ``t`` (M,) and ``tau`` (M,) so far."""


def find_heads(model: nn.Module) -> list[SearchedHead]:
    """The modules of a model whose loss is searched: those that have a ``set_theta``.

    A head inside such a head is left out: it gets its part of theta from the outer one.

    Raises:
        ValueError: There is none, or they have different search spaces, or the config gives one of
            them a fixed theta.
    """
    model = unwrapped(model)
    heads: dict[str, nn.Module] = {}
    for name, module in model.named_modules():  # parents come first
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
    return cast('list[SearchedHead]', list(heads.values()))
