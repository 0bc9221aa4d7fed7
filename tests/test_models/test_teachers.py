"""The networks that give a loss."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from amlfs_mm.models import AttentionTeacher, LSTMTeacher

START = torch.eye(3, 4)


@pytest.mark.parametrize('kind', [AttentionTeacher, LSTMTeacher])
def test_the_first_loss_is_the_start_in_any_state(kind: type[nn.Module]):
    teacher = kind(START, num_features=7)
    for state in torch.rand(4, 7):
        torch.testing.assert_close(teacher(state)[0], START)


def test_attention_is_a_weighted_mean_of_the_memory():
    teacher = AttentionTeacher(START, num_features=2, num_slots=3)
    teacher.memory.data.normal_()
    state = torch.tensor([0.3, 0.9])
    scores = [(teacher.keys.weight[n] @ state + teacher.keys.bias[n]).exp() for n in range(3)]
    wanted = sum(score * loss for score, loss in zip(scores, teacher.memory, strict=True))
    torch.testing.assert_close(teacher(state)[0], wanted / sum(scores))


def test_the_lstm_remembers():
    teacher = LSTMTeacher(START, num_features=2)
    teacher.out.weight.data.normal_()
    state = torch.tensor([0.3, 0.9])
    first, hidden = teacher(state)
    second, _ = teacher(state, hidden)
    assert (first - second).abs().max() > 1e-3


def test_bad_options():
    with pytest.raises(ValueError, match='num_slots must be a whole number >= 2, got 1'):
        AttentionTeacher(START, 7, num_slots=1)
    with pytest.raises(ValueError, match=r'hidden_size must be a whole number >= 1, got 0\.5'):
        LSTMTeacher(START, 7, hidden_size=0.5)
