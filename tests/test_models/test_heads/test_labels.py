"""A label that is no class of the head is an error that names sample, label and range."""

import copy
import pickle

import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from amlfs_mm.models import AMLFSHead, MGNHead, SFTHead, SoftmaxHead
from amlfs_mm.models.heads.labels import Labels
from amlfs_mm.models.necks import MGNFeatures
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

HEADS = {
    'AMLFSHead': lambda: AMLFSHead(5, 4),
    'AMLFSHead sharded': lambda: AMLFSHead(5, 4, scale=30.0, sharded=True),
    'SoftmaxHead': lambda: SoftmaxHead(5, 4),
    'SoftmaxHead margin': lambda: SoftmaxHead(5, 4, scale=30.0, margin=0.35),
    'SoftmaxHead sharded': lambda: SoftmaxHead(5, 4, sharded=True),
    'SFTHead': lambda: SFTHead(4, 3, 5, dict(type='amlfs_mm.SoftmaxHead')),
}


def samples(labels: list[int], **fields: list) -> list[DataSample]:
    return [
        DataSample(metainfo={name: values[i] for name, values in fields.items()}).set_gt_label(k)
        for i, k in enumerate(labels)
    ]


@pytest.mark.parametrize('label', [5, -1, 700])
@pytest.mark.parametrize('head', HEADS)
def test_a_label_out_of_range(head, label):
    """-1 as well: data sets use it for images without a class."""
    batch = samples([0, label, 4], img_path=['a.jpg', 'b/c.jpg', 'd.jpg'])
    with pytest.raises(ValueError, match=rf'^sample b/c.jpg has the label {label}, but .*') as e:
        HEADS[head]().loss((torch.randn(3, 4),), batch)
    assert 'num_classes=5: labels are from 0 to 4' in str(e.value)


def test_mgn_names_it_too():
    head = MGNHead(5, in_channels=4, reduced_channels=3)
    feats = MGNFeatures([torch.randn(2, 4)] * 3, [torch.randn(2, 3)] * 3, [torch.randn(2, 3)] * 5)
    with pytest.raises(ValueError, match='has the label 9, but SoftmaxHead has num_classes=5'):
        head.loss(feats, samples([0, 9]))


@pytest.mark.parametrize(
    ('fields', 'name'),
    [
        (dict(sample_idx=[10, 11]), 'sample number 11 of the data set'),
        (dict(), r'sample number 1 of the batch \(from 0\)'),
    ],
)
def test_what_names_a_sample_without_a_path(fields, name):
    with pytest.raises(ValueError, match=f'^{name} has the label 3'):
        AMLFSHead(3, 4).loss((torch.randn(2, 4),), samples([0, 3], **fields))


@pytest.mark.parametrize('head', HEADS)
def test_the_first_and_last_class_are_classes(head):
    assert all(
        value.isfinite().all()
        for value in HEADS[head]().loss((torch.randn(2, 4),), samples([0, 4])).values()
    )


@pytest.mark.parametrize('head', HEADS)
def test_no_label(head):
    batch = [*samples([1], img_path=['a.jpg']), DataSample(metainfo=dict(img_path='b.jpg'))]
    with pytest.raises(ValueError, match=r'^sample b.jpg has no gt_label.*PackInputs'):
        HEADS[head]().loss((torch.randn(2, 4),), batch)


@pytest.mark.parametrize('head', HEADS)
def test_two_labels_of_one_sample(head):
    batch = [DataSample().set_gt_label([0, 1]), DataSample().set_gt_label(2)]
    with pytest.raises(ValueError, match='3 labels of 2 samples: gt_label must be one number'):
        HEADS[head]().loss((torch.randn(2, 4),), batch)


class OnDevice(Labels):
    """As where the labels are not on the CPU, with tensors of the CPU."""

    def forward(self, data_samples):
        return self.keep_extremes(torch.cat([sample.gt_label for sample in data_samples]))


@pytest.mark.parametrize('labels', [[0, 7], [-2, 1]])
@pytest.mark.parametrize('where', ['evaluation', 'saving'])
def test_on_a_device_the_error_comes_where_the_host_waits(labels, where):
    """Not in the step: the labels are clamped, and the extremes kept until then."""
    model = nn.Sequential(OnDevice(3, 'AMLFSHead'))
    wrong = next(label for label in labels if not 0 <= label < 3)
    assert model(samples([0, 2])).tolist() == [0, 2]
    assert model(samples(labels)).tolist() == [min(max(label, 0), 2) for label in labels]
    assert model(samples([1, 1])).tolist() == [1, 1]
    with pytest.raises(ValueError, match=f'has the label {wrong}, but AMLFSHead'):
        model.eval() if where == 'evaluation' else model.state_dict()
    model.eval()  # said once
    assert model.train().state_dict() == {}


def test_the_check_is_no_part_of_the_state():
    labels = OnDevice(3, 'AMLFSHead')
    labels(samples([0, 9]))
    for copied in (copy.deepcopy(labels), pickle.loads(pickle.dumps(labels))):
        copied.eval()
    assert set(AMLFSHead(3, 4).state_dict()) == {'fc.weight', 'theta'}


@pytest.mark.parametrize('head', HEADS)
def test_a_batch_of_tensors_stays_one(head):
    """A good batch makes no data sample, and the error of a bad one names its sample."""
    sources = samples([0, 0, 0], img_path=['a.jpg', 'b.jpg', 'c.jpg'])
    good = LazyDataSamples(torch.tensor([0, 4, 2]), sources)
    losses = HEADS[head]().loss((torch.randn(3, 4),), good)
    assert all(value.isfinite().all() for value in losses.values())
    assert good.untouched
    with pytest.raises(ValueError, match=r'^sample b\.jpg has the label 5, but'):
        HEADS[head]().loss((torch.randn(3, 4),), LazyDataSamples(torch.tensor([0, 5, -1]), sources))


@pytest.mark.parametrize('label_range', [None, (0, 4), (0, 5), (-1, 4)])
@pytest.mark.parametrize('head', HEADS)
def test_the_range_of_the_whole_data_set(head, label_range):
    """A bad label elsewhere in the data set is no reason to refuse a good batch."""
    sources = samples([0, 0], img_path=['a.jpg', 'b.jpg'])
    good = LazyDataSamples(torch.tensor([0, 4]), sources, label_range=label_range)
    assert HEADS[head]().loss((torch.randn(2, 4),), good)
    if label_range != (0, 4):
        bad = LazyDataSamples(torch.tensor([0, 5]), sources, label_range=label_range)
        with pytest.raises(ValueError, match=r'^sample b.jpg has the label 5'):
            HEADS[head]().loss((torch.randn(2, 4),), bad)


def test_a_label_that_somebody_changed_is_looked_at():
    """What is written to a sample of the batch counts, not what its data set has."""
    batch = LazyDataSamples(torch.tensor([0, 4]), samples([0, 0]), label_range=(0, 4))
    batch[1].set_gt_label(7)
    with pytest.raises(ValueError, match='has the label 7'):
        AMLFSHead(5, 4).loss((torch.randn(2, 4),), batch)
