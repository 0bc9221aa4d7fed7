"""ShardedLinear in one process: sampling of classes, first weights, checkpoints, options.

Several processes: tests/test_engine/test_distributed/test_sharded_head.py, test_sharded_run.py.
"""

import pytest
import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.models import AMLFSHead, ShardedLinear, SoftmaxHead


def labels(targets: list[int]) -> list[DataSample]:
    return [DataSample().set_gt_label(target) for target in targets]


def sampled(rate: float, targets: list[int], seed: int = 0) -> tuple[SoftmaxHead, Tensor, Tensor]:
    """A head of 50 classes after a batch: itself, the features, the loss."""
    torch.manual_seed(seed)
    head = SoftmaxHead(50, 6, scale=30.0, margin=0.35, sharded=True, sample_rate=rate)
    head.fc.weight.data.normal_()
    features = torch.randn(len(targets), 6, requires_grad=True)
    loss = head.loss((features,), labels(targets))['loss']
    loss.backward()
    return head, features, loss.detach()


def classes_with_gradient(weight: nn.Parameter) -> list[int]:
    return weight.grad.abs().sum(1).nonzero().flatten().tolist()


@pytest.mark.parametrize(('rate', 'expected'), [(0.2, 10), (0.01, 4), (0.5, 25), (1.0, 50)])
def test_the_softmax_runs_over_the_targets_and_some_others(rate: float, expected: int):
    """0.01 of 50 classes would be one, but a batch of 4 samples has room for 4."""
    targets = [3, 49, 3, 0]
    head, features, loss = sampled(rate, targets)
    chosen = classes_with_gradient(head.fc.weight)
    assert len(chosen) == expected
    assert set(targets) <= set(chosen)
    # The same batch on a head that has those classes only.
    small = SoftmaxHead(expected, 6, scale=30.0, margin=0.35)
    small.fc.weight.data.copy_(head.fc.weight[chosen])
    x = features.detach().clone().requires_grad_()
    other = small.loss((x,), labels([chosen.index(target) for target in targets]))['loss']
    other.backward()
    torch.testing.assert_close(loss, other.detach())
    torch.testing.assert_close(features.grad, x.grad)
    torch.testing.assert_close(head.fc.weight.grad[chosen], small.fc.weight.grad)


def test_other_classes_each_time_and_all_in_evaluation():
    first, *_ = sampled(0.2, [1, 2], seed=0)
    second, *_ = sampled(0.2, [1, 2], seed=1)
    assert classes_with_gradient(first.fc.weight) != classes_with_gradient(second.fc.weight)
    first.eval()
    x = torch.randn(2, 6)
    whole = SoftmaxHead(50, 6, scale=30.0, margin=0.35)
    whole.load_state_dict(first.state_dict())
    torch.testing.assert_close(
        first.loss((x,), labels([1, 2]))['loss'], whole.loss((x,), labels([1, 2]))['loss']
    )
    torch.testing.assert_close(first((x,)), whole((x,)))


def test_what_the_optimizer_does_to_a_class_that_was_not_sampled():
    """Documented: no gradient, but momentum and weight decay."""
    head, *_ = sampled(0.2, [1, 2])
    chosen = classes_with_gradient(head.fc.weight)
    other = next(c for c in range(50) if c not in chosen)
    before = head.fc.weight[other].clone()
    torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9, weight_decay=0.5).step()
    torch.testing.assert_close(head.fc.weight[other], before * (1 - 0.1 * 0.5))


def test_first_weights_are_normal_and_those_of_any_number_of_replicas(monkeypatch):
    """Blocks are drawn in one order, so that a replica's rows are the same rows of the whole."""
    torch.manual_seed(3)
    whole = ShardedLinear(4, 2500, std=0.5)
    assert whole.weight.std().item() == pytest.approx(0.5, rel=0.05)
    assert len(whole.weight.unique()) > 9000
    for replica in range(3):
        torch.manual_seed(3)
        monkeypatch.setattr('amlfs_mm.models.layers.sharded_linear.get_world_size', lambda: 3)
        monkeypatch.setattr('amlfs_mm.models.layers.sharded_linear.get_rank', lambda r=replica: r)
        part = ShardedLinear(4, 2500, std=0.5)
        assert torch.equal(part.weight, whole.weight[part.class_range])
        # A whole checkpoint is cut to the replica's rows.
        part.weight.data.zero_()
        part.load_state_dict(whole.state_dict())
        assert torch.equal(part.weight, whole.weight[part.class_range])
        assert part.state_dict() == {}
    with pytest.raises(RuntimeError, match=r'has \(2500, 4\), the head \(2400, 4\)'):
        ShardedLinear(4, 2400).load_state_dict(whole.state_dict())


def test_init_weights_of_a_config():
    """The head's init_cfg, as mmengine applies it; checkpoints fit heads of either kind."""
    torch.manual_seed(0)
    init_cfg = dict(type='Normal', layer='Linear', std=0.3)
    head = AMLFSHead(1500, 8, sharded=True, init_cfg=init_cfg)
    head.init_weights()
    assert head.fc.weight.std().item() == pytest.approx(0.3, rel=0.05)
    AMLFSHead(1500, 8).load_state_dict(head.state_dict())
    head.load_state_dict(AMLFSHead(1500, 8).state_dict())


@pytest.mark.parametrize('head', [AMLFSHead, SoftmaxHead])
@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (dict(sample_rate=0.1), 'needs sharded=True'),
        (dict(sharded=True, sample_rate=0.0), r'in \(0, 1\]'),
        (dict(sharded=True, sample_rate=1.5), r'in \(0, 1\]'),
        (dict(sharded=True, init_cfg=dict(type='Xavier', layer='Linear')), 'init_cfg'),
    ],
)
def test_options_that_do_not_go_together(head: type, options: dict, says: str):
    with pytest.raises(ValueError, match=says):
        head(5, 4, **options)


def test_label_smoothing_over_shards_is_refused():
    with pytest.raises(ValueError, match='sharded=True has the cross entropy'):
        SoftmaxHead(5, 4, sharded=True, loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1))
