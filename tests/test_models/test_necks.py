"""What EmbeddingNeck, MGNNeck and IResNet refuse: wrong maps, one image before batch norm."""

import pytest
import torch
from torch import nn

from amlfs_mm.models import EmbeddingNeck, IResNet, MGNNeck
from amlfs_mm.models.layers.inputs import refuse_single_image


def maps(n: int, channels: int = 6) -> tuple:
    return tuple(torch.randn(n, channels, 6, 4) for _ in range(3))


def test_embedding_neck_takes_the_last_map():
    neck = EmbeddingNeck(6, 3).eval()
    x = torch.randn(2, 6, 5, 5)
    for feats in (x, (x,), [torch.zeros(2, 4, 9, 9), x]):
        torch.testing.assert_close(neck(feats), neck((x,)))


@pytest.mark.parametrize(
    ('feats', 'says'),
    [
        ((torch.randn(2, 6),), r'last feature map.*shapes \[\(2, 6\)\]: leave the neck out'),
        ((torch.randn(2, 8, 5, 5),), 'in_channels=6, .* 8 channels: set .*in_channels=8'),
        (dict(x=1), r"a dict with the keys \['x'\]"),
    ],
)
def test_embedding_neck_refuses(feats, says):
    with pytest.raises(ValueError, match=rf'^EmbeddingNeck.*{says}'):
        EmbeddingNeck(6, 3)(feats)


@pytest.mark.parametrize(
    ('feats', 'says'),
    [
        (maps(2)[:2], r'needs 3 feature maps, one a branch.*\(2, 6, 6, 4\)\]: set backbone='),
        (torch.randn(3, 6, 6, 4), r'needs 3 feature maps, .* shape \(3, 6, 6, 4\)'),
        (maps(2, channels=8), 'in_channels=6, .*8 channels'),
    ],
)
def test_mgn_neck_refuses(feats, says):
    with pytest.raises(ValueError, match=rf'^MGNNeck.*{says}'):
        MGNNeck(6, 3)(feats)


@pytest.mark.parametrize(
    ('part', 'one', 'name'),
    [
        (EmbeddingNeck(6, 3), maps(1), 'EmbeddingNeck'),
        (MGNNeck(6, 3), maps(1), 'MGNNeck'),
        (IResNet(18, (32, 32), 8, 4), torch.randn(1, 3, 32, 32), 'IResNet'),
    ],
)
def test_a_training_batch_of_one_image(part, one, name):
    cure = 'one image: set drop_last=True in train_dataloader, or a batch_size'
    with pytest.raises(ValueError, match=rf'^{name} has batch norm.*{cure}'):
        part.train()(one)
    part.eval()(one)  # running statistics


def test_batch_norm_that_may_have_one_image():
    """Frozen, or over all replicas."""
    one = torch.randn(1, 4)
    refuse_single_image(one, nn.BatchNorm1d(4).eval(), 'part')
    refuse_single_image(one, nn.SyncBatchNorm(4), 'part')
    refuse_single_image(one, nn.LayerNorm(4), 'part')
    refuse_single_image(torch.randn(2, 4), nn.BatchNorm1d(4), 'part')
