"""What a teacher is told of its student before each step: the vector s_t."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class DevScores(NamedTuple):
    """How a student does on D_v.

    Attributes:
        accuracy: () in [0, 1].
        precision: (C,) for each class the share of the images given this class that belong to it,
            in [0, 1]; 0 for a class that no image was given.
    """

    accuracy: Tensor
    precision: Tensor


def dev_scores(batches: Iterable[tuple[Tensor, Tensor]]) -> DevScores:
    """The scores of logits (N, C) and classes (N,), batch by batch."""
    predicted, hits = [], []
    num_classes = 0
    for logits, target in batches:
        num_classes = logits.shape[1]
        guess = logits.detach().argmax(dim=1)
        predicted.append(guess)
        hits.append(guess == target)
    guess, hit = torch.cat(predicted), torch.cat(hits).to(torch.float32)
    shape = torch.zeros(num_classes, device=guess.device)
    given = shape.scatter_add(0, guess, torch.ones_like(hit))
    right = shape.scatter_add(0, guess, hit)
    return DevScores(hit.mean(), right / given.clamp(min=1))


class StudentState:
    """The state vector s_t of S = C + 4 numbers, each in [0, 1].

    The numbers are: the share of the iterations that is done; the training accuracy of the last
    window, 0 before it; the present accuracy on D_v; the best one on D_v so far; the precision of
    each class on D_v. Between two windows only the first number changes.

    Source: Wu et al., NeurIPS 2018, section 4.1, from memory; see ``docs/l2t_dlf.md``.

    Args:
        num_classes: C.
        device: Of the vector.
    """

    def __init__(self, num_classes: int, device: torch.device) -> None:
        self.scores = torch.zeros(num_classes + 3, device=device)

    @staticmethod
    def length(num_classes: int) -> int:
        """S."""
        return num_classes + 4

    def vector(self, share_done: float) -> Tensor:
        """s_t (S,); share_done is the share of the iterations before this one, in [0, 1)."""
        return torch.cat([self.scores.new_tensor([share_done]), self.scores])

    def update(self, training_accuracy: Tensor, dev: DevScores) -> None:
        """Take the scores of a window's end."""
        best = torch.maximum(self.scores[2], dev.accuracy)
        head = torch.stack([training_accuracy.to(dev.accuracy), dev.accuracy, best])
        self.scores = torch.cat([head, dev.precision])
