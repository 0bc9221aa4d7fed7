"""A teacher that remembers the states of earlier steps."""

from __future__ import annotations

from torch import Tensor, nn

from amlfs_mm.registry import MODELS

Hidden = tuple[Tensor, Tensor]


@MODELS.register_module()
class LSTMTeacher(nn.Module):
    """``phi_t = phi_0 + A h_t`` with ``h_t`` of an LSTM over the states s_1 ... s_t.

    A starts at 0, so the first loss of a run is phi_0.

    Source: an LSTM as the teacher is that of L2T-DLN (Hai et al., NeurIPS 2023, arXiv 2310.19313),
    not of L2T-DLF. Theirs acts on each coefficient by itself; this one gives all of phi.

    Args:
        start: (C, C + 1) phi_0 = [W | b], that which the head starts with.
        num_features: S, the length of a state s_t.
        hidden_size: Numbers in h_t.

    Raises:
        ValueError: ``hidden_size`` is no whole number from 1.
    """

    def __init__(self, start: Tensor, num_features: int, hidden_size: int = 32) -> None:
        super().__init__()
        if not isinstance(hidden_size, int) or hidden_size < 1:
            raise ValueError(f'hidden_size must be a whole number >= 1, got {hidden_size!r}')
        self.cell = nn.LSTMCell(num_features, hidden_size)
        self.out = nn.Linear(hidden_size, start.numel(), bias=False)
        nn.init.zeros_(self.out.weight)
        self.start = nn.Parameter(start.detach().clone())

    def forward(self, state: Tensor, hidden: Hidden | None = None) -> tuple[Tensor, Hidden]:
        """phi (C, C + 1) of a state (S,), and the hidden state (h, c) after it, (1, H) each."""
        hidden = self.cell(state[None], hidden)
        return self.start + self.out(hidden[0][0]).view_as(self.start), hidden
