"""Labels on a device: no step waits for the check, and a bad label is found all the same."""

from __future__ import annotations

import pytest
import torch
from helpers.standin_device import counted, install
from mmpretrain.structures import DataSample

from amlfs_mm.models import AMLFSHead, BatchDataPreprocessor, SoftmaxHead
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

DEVICE = install()
HEADS = {
    'AMLFSHead': lambda: AMLFSHead(5, 4),
    'AMLFSHead sharded': lambda: AMLFSHead(5, 4, scale=30.0, sharded=True),
    'SoftmaxHead': lambda: SoftmaxHead(5, 4),
}


@pytest.mark.parametrize('label', [5, -1])
@pytest.mark.parametrize('head', HEADS)
def test_a_bad_label_is_found_at_the_switch_to_evaluation(head: str, label: int) -> None:
    made = HEADS[head]().to(DEVICE)
    x = torch.randn(2, 4).to(DEVICE)
    for second in (1, label, 2):
        target = torch.tensor([0, second]).to(DEVICE)
        batch = [DataSample().set_gt_label(part) for part in target.split(1)]
        with counted() as traffic:
            assert 'loss' in made.loss((x,), batch)
        assert not traffic.read_backs, traffic
        assert not traffic.to_host, traffic
    with pytest.raises(ValueError, match=f'has the label {label}, but .* num_classes=5'):
        made.eval()


def test_a_label_that_somebody_has_changed_goes_to_the_device() -> None:
    """A hook may mend a label in ``before_train_iter``, where the batch is on the host."""
    labels = torch.tensor([0, 1, 2])
    samples = LazyDataSamples(labels, [DataSample(name=str(i)) for i in range(3)])
    samples[0].set_gt_label(3)
    images = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    preprocessor = BatchDataPreprocessor().to(DEVICE)
    moved = preprocessor(dict(inputs=images, data_samples=samples), True)['data_samples']
    head, changed = HEADS['SoftmaxHead']().to(DEVICE), torch.tensor([3, 1, 2]).to(DEVICE)
    x = torch.randn(3, 4).to(DEVICE)
    expected = head.loss((x,), [DataSample().set_gt_label(label) for label in changed.split(1)])
    assert head.loss((x,), moved)['loss'].cpu() == expected['loss'].cpu()
    assert [sample.gt_label.item() for sample in moved] == [3, 1, 2]
    assert all(sample.gt_label.device == DEVICE for sample in moved)
    assert samples[0].gt_label.device == labels.device
