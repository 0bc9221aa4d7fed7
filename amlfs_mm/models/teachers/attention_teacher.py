"""A teacher that chooses among losses in its memory by attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amlfs_mm.registry import MODELS


@MODELS.register_module()
class AttentionTeacher(nn.Module):
    """``phi_t = sum_n a_n M_n`` with ``a = softmax(V s_t + c)``.

    M is a memory of N losses. All of them start at the same phi, so the first loss of a run does
    not depend on V. V starts at random, so that the losses in the memory come to differ.

    Source: Wu et al., NeurIPS 2018, whose teacher gives phi by attention. N, the start, and whether
    their attention has a bias c, were not to be found; see ``docs/l2t_dlf.md``.

    Args:
        start: (C, C + 1) the phi = [W | b] that the head starts with.
        num_features: S, the length of a state s_t.
        num_slots: N.

    Raises:
        ValueError: N is no whole number from 2.
    """

    def __init__(self, start: Tensor, num_features: int, num_slots: int = 8) -> None:
        super().__init__()
        if not isinstance(num_slots, int) or num_slots < 2:
            raise ValueError(f'num_slots must be a whole number >= 2, got {num_slots!r}')
        self.keys = nn.Linear(num_features, num_slots)
        nn.init.normal_(self.keys.weight)
        nn.init.zeros_(self.keys.bias)
        self.memory = nn.Parameter(start.detach().expand(num_slots, *start.shape).clone())

    def forward(self, state: Tensor, hidden: None = None) -> tuple[Tensor, None]:
        """phi (C, C + 1) of a state (S,). There is no hidden state."""
        attention = self.keys(state).softmax(dim=0)
        return torch.einsum('n,nij->ij', attention, self.memory), None
