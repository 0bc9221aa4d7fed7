"""A batch that stays whole gives the numbers of mmpretrain's way through lists, bit for bit."""

from __future__ import annotations

import pytest
import torch
from mmengine.model import BaseDataPreprocessor, ImgDataPreprocessor
from mmpretrain.models import ClsDataPreprocessor, SelfSupDataPreprocessor
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.models import BatchDataPreprocessor
from amlfs_mm.registry import MODELS
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

HEADS = dict(
    searched=dict(type='amlfs_mm.AMLFSHead', loss=dict(type='CrossEntropyLoss', loss_weight=2.0)),
    cosine=dict(type='amlfs_mm.AMLFSHead', scale=16.0),
    softmax=dict(type='amlfs_mm.SoftmaxHead', cal_acc=True),
    margin=dict(type='amlfs_mm.SoftmaxHead', scale=16.0, margin=0.2),
    sharded=dict(type='amlfs_mm.SoftmaxHead', sharded=True),
    mmpretrain=dict(type='mmpretrain.LinearClsHead'),
)


def batches(channels: int = 3) -> tuple[dict, dict]:
    """The same images and labels as a list of samples, and whole."""
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(256, (6, channels, 5, 4), dtype=torch.uint8, generator=draw)
    labels = torch.tensor([0, 4, 1, 1, 2, 3])
    samples = [DataSample().set_gt_label(label) for label in labels]
    sources = [DataSample().set_gt_label(label) for label in labels]
    return (
        dict(inputs=list(images), data_samples=samples),
        dict(inputs=images, data_samples=LazyDataSamples(labels, sources)),
    )


@pytest.mark.parametrize(
    'options',
    [
        dict(mean=[120.0, 118.5, 90.0], std=[60.0, 61.0, 62.5], to_rgb=True),
        dict(mean=[127], std=[128]),
        dict(),
        dict(mean=[127.5], std=[128.0], pad_size_divisor=4),
        dict(mean=[127.5], std=[128.0], to_onehot=True, num_classes=5),
    ],
)
def test_images_are_mmpretrain_s(options: dict):
    one_by_one, whole = batches()
    expected = ClsDataPreprocessor(**options)(one_by_one, training=True)
    for preprocessor in (
        BatchDataPreprocessor(**options),
        BatchDataPreprocessor.like(ClsDataPreprocessor(**options)),
    ):
        batch = preprocessor(dict(whole), training=True)
        assert torch.equal(batch['inputs'], expected['inputs'])
        assert whole['inputs'].dtype == torch.uint8
    # Both kinds of batches are laid out the same way, so that a training has the same bits.
    for batch in batches():
        images = BatchDataPreprocessor(**options, channels_last=True)(batch, training=True)[
            'inputs'
        ]
        assert torch.equal(images, expected['inputs'])
        assert images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('whole', [False, True])
@pytest.mark.parametrize(
    ('channels', 'options', 'message'),
    [
        (1, dict(mean=[1.0] * 3, std=[1.0] * 3), '1 channel, but data_preprocessor.mean has 3'),
        (4, dict(mean=[1.0] * 3, std=[1.0] * 3), '4 channels, but data_preprocessor.mean has 3'),
        (1, dict(mean=[1.0], std=[1.0] * 3), '1 channel, but data_preprocessor.std has 3'),
        (3, dict(mean=[1.0] * 2, std=[1.0]), '3 channels, but data_preprocessor.mean has 2'),
    ],
)
def test_a_mean_that_does_not_fit_the_channels(
    whole: bool, channels: int, options: dict, message: str
):
    """mmpretrain makes three channels of a grey one, or torch says which sizes do not match."""
    with pytest.raises(ValueError, match=message) as error:
        BatchDataPreprocessor(**options)(batches(channels)[whole])
    assert "color_type='color'" in str(error.value)


def step(head: dict, whole: bool) -> tuple[dict[str, Tensor], list[Tensor]]:
    """A training step's losses and gradients."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(type='amlfs_mm.MLP', in_channels=60, channels=(8, 7)),
            head=dict(num_classes=5, in_channels=7, **head),
            data_preprocessor=dict(type='amlfs_mm.BatchDataPreprocessor', mean=[120.0], std=[60.0]),
        )
    )
    data = model.data_preprocessor(batches()[whole], training=True)
    losses = model(**data, mode='loss')
    model.parse_losses(losses)[0].backward()
    return losses, [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize('head', HEADS)
def test_loss_and_gradients_are_those_of_samples_one_by_one(head: str):
    (losses, gradients), (whole_losses, whole_gradients) = (
        step(HEADS[head], whole) for whole in (False, True)
    )
    assert list(losses) == list(whole_losses)
    for name, loss in losses.items():
        assert torch.equal(torch.as_tensor(loss), torch.as_tensor(whole_losses[name]))
    for one, other in zip(gradients, whole_gradients, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize('head', HEADS)
def test_predictions_are_those_of_samples_one_by_one(head: str):
    torch.manual_seed(0)
    model = MODELS.build(dict(num_classes=5, in_channels=7, **HEADS[head]))
    features = (torch.randn(6, 7),)
    one_by_one, whole = (batch['data_samples'] for batch in batches())
    for one, other in zip(
        model.predict(features, one_by_one), model.predict(features, whole), strict=True
    ):
        assert torch.equal(one.pred_score, other.pred_score)
        assert torch.equal(one.pred_label, other.pred_label)
        assert torch.equal(one.gt_label, other.gt_label)


def test_labels_that_somebody_has_changed_are_used():
    from amlfs_mm.models.heads.hard_targets import hard_targets

    samples = batches()[1]['data_samples']
    samples[0].set_gt_label(3)
    assert hard_targets(samples, 'Head').tolist() == [3, 4, 1, 1, 2, 3]


@pytest.mark.parametrize(
    'kind', [BaseDataPreprocessor, ImgDataPreprocessor, SelfSupDataPreprocessor]
)
def test_other_preprocessors_take_a_whole_batch(kind: type):
    """They cast the whole batch to the device: its data samples become a list."""
    one_by_one, whole = batches()
    images = torch.stack(one_by_one['inputs'])
    batch = kind()(whole)
    assert torch.equal(batch['inputs'], images)
    expected = kind()(dict(one_by_one, inputs=images))['data_samples']
    assert [s.gt_label.item() for s in batch['data_samples']] == [
        s.gt_label.item() for s in expected
    ]
