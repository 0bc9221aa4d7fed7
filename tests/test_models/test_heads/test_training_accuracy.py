"""The training accuracy is that of the untransformed logits, in every head of ours alike."""

import pytest
import torch
from mmpretrain.structures import DataSample

from amlfs_mm.models import AMLFSHead, SFTHead, SoftmaxHead
from amlfs_mm.models.layers.ranks import target_rank

HEADS = {
    'AMLFSHead': lambda **o: AMLFSHead(6, 4, scale=20.0, **o),
    'AMLFSHead plain': lambda **o: AMLFSHead(6, 4, **o),
    'AMLFSHead sharded': lambda **o: AMLFSHead(6, 4, scale=20.0, sharded=True, **o),
    'SoftmaxHead': lambda **o: SoftmaxHead(6, 4, scale=20.0, **o),
    'SoftmaxHead plain': lambda **o: SoftmaxHead(6, 4, **o),
    'SoftmaxHead margin': lambda **o: SoftmaxHead(6, 4, scale=20.0, margin=0.5, **o),
    'SoftmaxHead sharded': lambda **o: SoftmaxHead(6, 4, scale=20.0, sharded=True, **o),
    'SoftmaxHead sampled': lambda **o: SoftmaxHead(
        6, 4, scale=20.0, margin=0.5, sharded=True, sample_rate=0.1, **o
    ),
}


def labels(targets: list[int]) -> list[DataSample]:
    return [DataSample().set_gt_label(target) for target in targets]


@pytest.mark.parametrize('head', HEADS)
def test_of_negative_logits(head):
    """x = -e1: the target's logit is the largest, though below 0."""
    made = HEADS[head](cal_acc=True)
    weight = (
        torch.tensor([[1.0, 3, 0, 0]] + [[1.0, 0, 0, 0]] * 5) * torch.linspace(1, 2, 6)[:, None]
    )
    made.fc.weight.data.copy_(weight)
    losses = made.loss((torch.tensor([[-1.0, 0, 0, 0]]),), labels([0]))
    assert (made((torch.tensor([[-1.0, 0, 0, 0]]),)) < 0).all()
    assert losses['accuracy_top-1'].item() == 100


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('seed', range(3))
def test_against_a_sort(head, seed):
    random = torch.Generator().manual_seed(seed)
    made = HEADS[head](cal_acc=True, topk=(1, 3))
    made.fc.weight.data.copy_(torch.randn(6, 4, generator=random))
    x = torch.randn(50, 4, generator=random)
    target = torch.randint(6, (50,), generator=random)
    losses = made.loss((x,), labels(target.tolist()))
    order = made((x,)).argsort(dim=1, descending=True)
    for k in (1, 3):
        right = (order[:, :k] == target[:, None]).any(1)
        expected = 100 * right.double().mean().item()
        assert losses[f'accuracy_top-{k}'][0].item() == pytest.approx(expected)


def test_a_margin_does_not_count():
    """cos = 1 against 0.8: right, though s (1 - 0.5) < 0.8 s in the loss."""
    made = SoftmaxHead(2, 2, scale=10.0, margin=0.5, cal_acc=True)
    made.fc.weight.data.copy_(torch.tensor([[1.0, 0.0], [0.8, 0.6]]))
    losses = made.loss((torch.tensor([[1.0, 0.0]]),), labels([0]))
    assert losses['accuracy_top-1'].item() == 100
    assert losses['loss'] > 3


def test_in_sft_each_half_has_its_own():
    head = SFTHead(4, 3, 6, dict(type='amlfs_mm.SoftmaxHead', cal_acc=True))
    losses = head.loss((torch.randn(5, 4),), labels([0, 1, 2, 3, 4]))
    assert {'accuracy_top-1_original', 'accuracy_top-1_transformed'} < set(losses)


def test_ties_and_nan():
    """Equal logits rank by class, so that a collapsed model is right for class 0 alone."""
    nan = float('nan')
    logits = torch.tensor([[1.0, 1, 1], [1, 1, 1], [3, 1, 2], [nan, nan, nan], [0, nan, -1]])
    assert target_rank(logits, torch.tensor([0, 2, 2, 0, 0])).tolist() == [0, 2, 1, 3, 1]
