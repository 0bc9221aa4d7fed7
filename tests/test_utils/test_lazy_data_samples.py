"""Samples made on demand are those that PackInputs makes."""

import copy
import pickle

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmpretrain.structures import DataSample

from amlfs_mm.datasets import InMemoryImages
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples


class Paths(BaseDataset):
    """Images with all that PackInputs takes over from an image file."""

    def load_data_list(self) -> list[dict]:
        draw = np.random.default_rng(0)
        return [
            dict(
                img=draw.integers(0, 256, (4, 5, 3), dtype=np.uint8),
                img_path=f'{number}.png',
                img_shape=(4, 5),
                ori_shape=(8, 10),
                gt_label=number % 3,
            )
            for number in range(7)
        ]


@pytest.fixture
def plain() -> Paths:
    return Paths(pipeline=[dict(type='mmpretrain.PackInputs')])


def assert_equal_samples(one: DataSample, other: DataSample) -> None:
    assert type(one) is type(other) is DataSample
    assert one.metainfo == other.metainfo
    assert sorted(one.keys()) == sorted(other.keys())
    for name in one.keys():  # noqa: SIM118 (not a dict)
        assert one.get(name).dtype == other.get(name).dtype
        assert torch.equal(one.get(name), other.get(name))


def batch_of(plain: Paths, indices: list[int]) -> LazyDataSamples:
    return InMemoryImages(plain).batch(indices, [0] * len(indices))['data_samples']


@pytest.mark.parametrize('pickled', [False, True])
def test_items_are_those_of_pack_inputs(plain: Paths, pickled: bool):
    indices = [5, 0, 3]
    samples = batch_of(plain, indices)
    if pickled:
        samples = pickle.loads(pickle.dumps(samples))
    assert samples.untouched
    assert samples.labels.tolist() == [2, 0, 0]
    assert len(samples) == 3
    for index, sample in zip(indices, samples, strict=True):
        assert_equal_samples(sample, plain[index]['data_samples'])
    assert not samples.untouched
    assert samples[-1] is samples[2]
    assert samples[:2] == [samples[0], samples[1]]
    with pytest.raises(IndexError):
        samples[3]


def test_predictions_are_those_of_mmpretrain(plain: Paths):
    scores = torch.rand(7, 3).softmax(1)
    samples = batch_of(plain, list(range(7))).predicted(scores)
    for index, (sample, score) in enumerate(zip(samples, scores, strict=True)):
        expected = plain[index]['data_samples']
        expected.set_pred_score(score).set_pred_label(score.argmax(dim=0, keepdim=True))
        assert_equal_samples(sample, expected)


def test_what_is_written_to_an_item_stays_in_its_batch(plain: Paths):
    data = InMemoryImages(plain)
    samples = data.batch([1, 2], [0, 0])['data_samples']
    samples[1].set_gt_label(0)
    assert samples[1].gt_label.item() == 0
    assert data.batch([1, 2], [0, 0])['data_samples'][1].gt_label.item() == 2


def test_a_copy_is_one_of_its_own(plain: Paths):
    samples = batch_of(plain, [1, 2])
    other = copy.deepcopy(samples)
    other.labels[0] = 2
    assert samples.labels.tolist() == [1, 2]


def test_predictions_of_an_item_that_was_changed(plain: Paths):
    samples = batch_of(plain, [0, 1, 2])
    samples[1].set_gt_label(0)
    predicted = samples.predicted(torch.eye(3))
    assert [sample.gt_label.item() for sample in predicted] == [0, 0, 2]
    assert [sample.pred_label.item() for sample in predicted] == [0, 1, 2]
    assert 'pred_label' not in samples[1]


def test_made_anew_from_its_items_it_is_a_list(plain: Paths):
    """As mmengine's data preprocessors do with any sequence."""
    samples = batch_of(plain, [4, 2])
    other = type(samples)(sample.clone() for sample in samples)
    assert type(other) is list
    for one, two in zip(samples, other, strict=True):
        assert_equal_samples(one, two)
