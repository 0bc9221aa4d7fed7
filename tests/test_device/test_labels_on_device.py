"""Labels on a device: no step waits for the check, and a bad label is found all the same."""

from __future__ import annotations

import pytest
import torch
from helpers.standin_device import counted, install
from mmpretrain.structures import DataSample

from amlfs_mm.models import AMLFSHead, SoftmaxHead

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
