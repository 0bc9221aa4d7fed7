"""Which heads of mmpretrain and of this package ``AMLFSHead`` can take the place of, and how."""

from __future__ import annotations

import re
from pathlib import Path

import mmpretrain
import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from amlfs_mm.starting.head import REASONS, replace_head

SIZES = dict(num_classes=3, in_channels=5)
LINEAR = dict(type='LinearClsHead', **SIZES)
SAMPLES = [DataSample().set_gt_label(i) for i in (0, 2, 1)]
MMPRETRAIN_CONFIGS = Path(mmpretrain.__file__).parent / '.mim' / 'configs'


def merged(head: dict, found) -> dict:
    """What mmengine makes of the options in a config that inherits the head."""
    options = dict(found.options)
    if options.pop('_delete_', False):
        return options
    loss = options.get('loss')
    if loss is not None:
        options['loss'] = {key: value for key, value in loss.items() if key != '_delete_'}
    return {**head, **options}


@pytest.mark.parametrize(
    ('head', 'scale', 'mu_0'),
    [
        (LINEAR, None, None),
        (dict(LINEAR, topk=(1, 3), cal_acc=True, loss=dict(type='CrossEntropyLoss')), None, None),
        (dict(LINEAR, type='mmpretrain.LinearClsHead'), None, None),
        (dict(LINEAR, loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1)), None, None),
        (dict(LINEAR, loss=dict(type='CrossEntropyLoss', use_sigmoid=True)), None, None),
        (dict(LINEAR, init_cfg=dict(type='Constant', layer='Linear', val=0)), None, None),
        (dict(LINEAR, init_cfg=[dict(type='TruncNormal', layer='Linear', std=0.02)]), None, None),
        (dict(type='VisionTransformerClsHead', **SIZES), None, None),
        (dict(type='EfficientFormerClsHead', distillation=False, **SIZES), None, None),
        (dict(type='ArcFaceClsHead', **SIZES), 64.0, dict(name='arcface', m=0.5)),
        (
            dict(type='ArcFaceClsHead', scale=30.0, margins=0.2, **SIZES),
            30.0,
            dict(name='arcface', m=0.2),
        ),
        (dict(type='ArcFaceClsHead', margins=[0.1, 0.2, 0.3], **SIZES), 64.0, None),
        (dict(type='amlfs_mm.SoftmaxHead', scale=14.0, **SIZES), 14.0, None),
        (
            dict(type='amlfs_mm.SoftmaxHead', scale=15.0, margin=0.3, **SIZES),
            15.0,
            dict(name='am_softmax', m=0.3),
        ),
        (
            dict(
                type='amlfs_mm.SoftmaxHead',
                scale=16.0,
                margin=dict(type='amlfs_mm.ArcFaceMargin', m=0.4),
                **SIZES,
            ),
            16.0,
            dict(name='arcface', m=0.4),
        ),
    ],
)
def test_heads_that_it_replaces(head: dict, scale: float | None, mu_0: dict | None):
    MODELS.build(head)  # the head is one that there is
    found = replace_head(dict(head=head), num_intervals=4)
    assert (found.scale, found.mu_0) == (scale, mu_0)
    assert (found.num_classes, found.in_channels) == (3, 5)
    searched = MODELS.build(merged(head, found))
    searched.init_weights()
    assert type(searched).__name__ == 'AMLFSHead'
    assert (searched.num_classes, searched.in_channels, searched.scale) == (3, 5, scale)
    assert len(searched.theta) == 16
    assert searched.topk == head.get('topk', (1,))
    loss = searched.loss((torch.randn(3, 5),), SAMPLES)['loss']
    assert torch.isfinite(loss)


def test_what_is_left_out_is_said():
    found = replace_head(dict(head=LINEAR), 6)
    assert any('bias' in note for note in found.notes)
    smooth = dict(LINEAR, loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1))
    found = replace_head(dict(head=smooth), 6)
    assert 'takes the place of LabelSmoothLoss(label_smooth_val=0.1)' in ' '.join(found.notes)
    margins = dict(type='ArcFaceClsHead', margins=[0.1, 0.2, 0.3], **SIZES)
    assert 'from class to class' in ' '.join(replace_head(dict(head=margins), 6).notes)


def test_a_weight_of_the_loss_is_kept():
    head = dict(type='ArcFaceClsHead', loss=dict(type='CrossEntropyLoss', loss_weight=0.5), **SIZES)
    searched = MODELS.build(merged(head, replace_head(dict(head=head), 6)))
    assert searched.loss_weight == 0.5


def test_a_given_scale_wins():
    found = replace_head(dict(head=LINEAR), 6, scale=30.0)
    assert found.scale == found.options['scale'] == 30.0


def test_a_classifier_inside_a_head():
    head = dict(
        type='amlfs_mm.SFTHead',
        in_channels=8,
        reduced_channels=5,
        num_classes=3,
        classifier=dict(type='amlfs_mm.SoftmaxHead', scale=15.0),
    )
    found = replace_head(dict(head=head), 6)
    assert found.inner
    assert found.options == dict(type='amlfs_mm.AMLFSHead', num_intervals=6)


@pytest.mark.parametrize(
    ('head', 'reason'),
    [
        (dict(type='MultiLabelLinearClsHead', **SIZES), 'several labels'),
        (dict(type='CSRAClsHead', num_heads=1, lam=0.1, **SIZES), 'several labels'),
        (dict(type='MultiTaskHead', task_heads=dict(a=LINEAR)), 'several tasks'),
        (dict(type='StackedLinearClsHead', mid_channels=[4], **SIZES), 'hidden layers'),
        (dict(type='VigClsHead', hidden_dim=4, **SIZES), 'hidden layers'),
        (dict(type='VisionTransformerClsHead', hidden_dim=4, **SIZES), 'hidden_dim=None'),
        (dict(type='ConformerHead', num_classes=3, in_channels=[5, 5]), 'two classifiers'),
        (dict(type='DeiTClsHead', **SIZES), 'distillation'),
        (dict(type='EfficientFormerClsHead', **SIZES), 'With distillation=False'),
        (dict(type='LeViTClsHead', **SIZES), 'batch norm in front'),
        (dict(type='ClsHead'), 'from the backbone itself'),
        (dict(type='ArcFaceClsHead', num_subcenters=3, **SIZES), 'num_subcenters=3'),
        (dict(type='amlfs_mm.L2TDLFHead', **SIZES), 'L2TDLFHead: it is no linear layer'),
        (dict(type='SomeHeadOfAnother', **SIZES), 'SomeHeadOfAnother: it is no linear layer'),
        (dict(type='amlfs_mm.AMLFSHead', **SIZES), 'a search already'),
        (None, 'has no head in its config'),
    ],
)
def test_heads_that_it_cannot_replace(head: dict | None, reason: str):
    with pytest.raises(ValueError, match=reason):
        replace_head(dict(type='ImageClassifier', head=head), 6)


def test_every_head_of_mmpretrains_configs_gets_an_answer():
    """A linear one is replaced; of any other the error says why, or that it is no classifier."""
    kinds = set()
    for path in MMPRETRAIN_CONFIGS.rglob('*.py'):
        kinds |= set(re.findall(r"\bhead=dict\(\s*type='(\w+)'", path.read_text()))
    assert {'LinearClsHead', 'ArcFaceClsHead', 'VisionTransformerClsHead'} <= kinds
    for kind in kinds - {'LinearClsHead', 'ArcFaceClsHead', 'VisionTransformerClsHead'}:
        with pytest.raises(ValueError, match=f'cannot take the place of {kind}: it|an image'):
            replace_head(dict(head=dict(type=kind)), 6)


def test_every_reason_is_of_a_head_that_there_is():
    assert all(MODELS.get(name) is not None for name in REASONS)
