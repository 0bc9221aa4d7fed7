"""Where class weights start."""

import pytest
import torch

from amlfs_mm.models import AMLFSHead, SoftmaxHead


@pytest.mark.parametrize('head', [AMLFSHead, SoftmaxHead])
@pytest.mark.parametrize('sharded', [False, True])
@pytest.mark.parametrize(('scale', 'length'), [(None, 0.01 * 400**0.5), (30.0, 1), ('feature', 1)])
def test_class_weights_start_at_a_length_that_sgd_can_turn(scale, length, sharded, head):
    """Normalised ones at 1, plain ones as LinearClsHead's; a config may say otherwise."""
    for options, expected in (
        ({}, length),
        (dict(init_cfg=dict(type='Normal', layer='Linear', std=0.5)), 10),
    ):
        torch.manual_seed(0)
        built = head(100, 400, scale=scale, sharded=sharded, **options)
        built.init_weights()
        assert built.fc.weight.norm(dim=1).mean().item() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize('head', [AMLFSHead, SoftmaxHead])
def test_no_channels(head):
    with pytest.raises(ValueError, match='in_channels'):
        head(3, 0, scale=30.0)


def test_a_head_can_be_built_for_inference():
    with torch.inference_mode():
        assert AMLFSHead(3, 4)(torch.ones(2, 4)).shape == (2, 3)
