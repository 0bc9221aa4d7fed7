"""Which head of a model has a loss that a teacher gives (L2T-DLF)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

from torch import Tensor, nn

from amlfs_mm.utils.model_wrappers import unwrapped


class TaughtHead(Protocol):
    """What the loop needs of a head. :class:`amlfs_mm.models.L2TDLFHead` has it.

    Attributes:
        num_classes: C.
        phi: (C, C + 1) the coefficients of the loss, a buffer. The loss is differentiable by it.
    """

    num_classes: int
    phi: Tensor

    def set_phi(self, phi: Tensor) -> None:
        """Compute the loss with phi (C, C + 1) from now on."""

    def take_training_accuracy(self) -> Tensor:
        """The share of training samples, in [0, 1], classified rightly since the last call; ()."""

    def logits_and_target(self, feats: Any, data_samples: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """The logits (N, C) and the classes (N,) of a batch."""


class Teacher(Protocol):
    """What the loop needs of a teacher: a module with this ``forward``."""

    def __call__(self, state: Tensor, hidden: Any = None) -> tuple[Tensor, Any]:
        """phi (C, C + 1) of a step's state (S,), and what the next step is given as ``hidden``.

        ``hidden`` is None before the first step; later None, a tensor, or a tuple of tensors.
        """


class FoundHead(NamedTuple):
    """A head and its name in the model, such as ``head``."""

    name: str
    head: TaughtHead


def find_taught_head(model: nn.Module) -> FoundHead:
    """The module of a model whose loss a teacher gives: the one that has a ``set_phi``.

    Raises:
        ValueError: There is none, or there are several.
    """
    model = unwrapped(model)
    found = [(name, part) for name, part in model.named_modules() if hasattr(part, 'set_phi')]
    if len(found) != 1:
        head = type(getattr(model, 'head', None)).__name__
        raise ValueError(
            f'L2TDLFLoop teaches one head, an L2TDLFHead, but {type(model).__name__} has '
            f'{len(found)} of them (its head is {head}): set '
            "model.head.type='amlfs_mm.L2TDLFHead'"
        )
    name, head = found[0]
    return FoundHead(name, cast(TaughtHead, head))
