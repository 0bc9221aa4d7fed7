"""tools/export_onnx.py takes the size and the normalisation that a test feeds the model with."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.runs import ROOT
from mmcv.transforms import LoadImageFromFile
from mmcv.transforms import Resize as ResizeClass
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from amlfs_mm.export import export_onnx, find_preprocessing, find_size

LOAD = dict(type='LoadImageFromFile')
PACK = dict(type='PackInputs')
# ``input_size`` is one that no pipeline below feeds.
BACKBONE = dict(type='amlfs_mm.CIFARResNet', depth=8, base_channels=4)


def config(*pipeline: dict, backbone: dict = BACKBONE, **more) -> Config:
    head = dict(type='amlfs_mm.SoftmaxHead', num_classes=5, in_channels=16, scale=30.0)
    model = dict(
        type='amlfs_mm.EmbeddingClassifier',
        backbone=backbone,
        neck=dict(type='GlobalAveragePooling'),
        head=head,
    )
    return Config(
        dict(
            default_scope='mmpretrain',
            model=model,
            test_dataloader=dict(dataset=dict(type='CustomDataset', pipeline=list(pipeline))),
        )
        | more
    )


@pytest.mark.parametrize(
    ('pipeline', 'size'),
    [
        ([LOAD, dict(type='Resize', scale=(48, 64)), PACK], (64, 48)),
        (
            [LOAD, dict(type='Resize', scale=64), dict(type='CenterCrop', crop_size=56), PACK],
            (56,) * 2,
        ),
        (
            [LOAD, dict(type='ResizeEdge', scale=64), dict(type='CenterCrop', crop_size=56), PACK],
            (56,) * 2,
        ),
        ([LOAD, dict(type='CenterCrop', crop_size=(40, 24)), PACK], (24, 40)),
        ([LOAD, dict(type='Resize', scale=112), PACK], (112, 112)),
        ([LOAD, dict(type='mmcv.Resize', scale=(48, 64)), PACK], (64, 48)),
        ([dict(type=LoadImageFromFile), dict(type=ResizeClass, scale=(48, 64)), PACK], (64, 48)),
        (
            [dict(type='amlfs_mm.LoadWholeImage'), dict(type='Resize', scale=(48, 64)), PACK],
            (64, 48),
        ),
        (
            [
                dict(
                    type='amlfs_mm.CachedTransforms',
                    transforms=[LOAD, dict(type='Resize', scale=32)],
                ),
                PACK,
            ],
            (32, 32),
        ),
        ([dict(type='Resize', scale=(16, 16)), PACK], (16, 16)),  # a data set in memory
    ],
)
def test_the_size_is_what_the_test_pipeline_feeds(pipeline: list, size: tuple):
    assert find_size(config(*pipeline)) == size


def test_the_pipeline_of_a_wrapped_data_set():
    cfg = config()
    inner = dict(type='CustomDataset', pipeline=[LOAD, dict(type='Resize', scale=40), PACK])
    for dataset in (
        dict(type='RepeatDataset', times=2, dataset=inner),
        dict(type='ConcatDataset', datasets=[inner, inner]),
    ):
        cfg.test_dataloader.dataset = dataset
        assert find_size(cfg) == (40, 40)


def test_the_preprocessor_pads():
    pipeline = [LOAD, dict(type='Resize', scale=(50, 60)), PACK]
    assert find_size(config(*pipeline, data_preprocessor=dict(pad_size_divisor=32))) == (64, 64)


@pytest.mark.parametrize(
    ('pipeline', 'message'),
    [
        ([LOAD, PACK], 'feeds images of several sizes'),
        ([LOAD, dict(type='ResizeEdge', scale=64), PACK], 'feeds images of several sizes'),
        ([LOAD, dict(type='Resize', scale=(48, 64), keep_ratio=True), PACK], 'several sizes'),
        ([LOAD, dict(type='NoSuchTransform'), PACK], 'does not run on a drawn image'),
    ],
)
def test_a_size_that_the_config_does_not_determine(pipeline: list, message: str):
    with pytest.raises(ValueError, match=f'{message}.*give --size H W'):
        find_size(config(*pipeline))
    if 'drawn' not in message and len(pipeline) > 2:  # not what the backbone would say
        with pytest.raises(ValueError, match='--size'):
            find_size(config(*pipeline, backbone=dict(BACKBONE, input_size=(32, 32))))


def test_without_test_data():
    cfg = config()
    cfg.pop('test_dataloader')
    with pytest.raises(ValueError, match='no test pipeline: give --size'):
        find_size(cfg)


@pytest.mark.parametrize('place', ['runner', 'model'])
@pytest.mark.parametrize('searched', [False, True])
def test_export(tmp_path: Path, monkeypatch, place: str, searched: bool):
    """The preprocessor's place does not matter; nor does a theta in the checkpoint."""
    preprocessor = dict(type='ClsDataPreprocessor', mean=[1.0, 2, 3], std=[4.0, 5, 6], to_rgb=True)
    pipeline = [
        LOAD,
        dict(type='ResizeEdge', scale=20),
        dict(type='CenterCrop', crop_size=16),
        PACK,
    ]
    cfg = config(*pipeline)
    if place == 'model':
        cfg.model.data_preprocessor = preprocessor
    else:
        cfg.data_preprocessor = preprocessor
    cfg.dump(str(tmp_path / 'config.py'))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        weights = MODELS.build(cfg.model).state_dict()
    if searched:
        weights['head.theta'] = torch.zeros(24)
    torch.save(dict(state_dict=weights), tmp_path / 'checkpoint.pth')
    assert find_preprocessing(cfg) == dict(mean=[1, 2, 3], std=[4, 5, 6])

    monkeypatch.setenv('HOME', str(tmp_path))
    arguments = ['~/config.py', '~/checkpoint.pth', '--out=~/model.onnx']
    monkeypatch.setattr(sys, 'argv', ['export_onnx.py', *arguments])
    runpy.run_path(str(ROOT / 'tools' / 'export_onnx.py'), run_name='__main__')
    import onnx
    import onnxruntime

    metadata = {p.key: p.value for p in onnx.load(tmp_path / 'model.onnx').metadata_props}
    about = json.loads(metadata['preprocessing'])
    assert about == dict(mean=[1, 2, 3], std=[4, 5, 6], order='RGB', size=[16, 16])
    session = onnxruntime.InferenceSession(tmp_path / 'model.onnx')
    (features,) = session.run(None, dict(images=np.zeros((2, 3, 16, 16), np.float32)))
    assert features.shape == (2, 16)


def test_the_checkpoint_of_another_model(tmp_path: Path, monkeypatch):
    cfg = config(LOAD, dict(type='Resize', scale=16), PACK, data_preprocessor=dict(to_rgb=True))
    cfg.dump(str(tmp_path / 'config.py'))
    torch.save(dict(state_dict={'layer.weight': torch.zeros(3)}), tmp_path / 'other.pth')
    monkeypatch.setattr(
        sys, 'argv', ['export_onnx.py', str(tmp_path / 'config.py'), str(tmp_path / 'other.pth')]
    )
    with pytest.raises(
        SystemExit, match=r'other\.pth is the checkpoint of another model: 0 of the'
    ):
        runpy.run_path(str(ROOT / 'tools' / 'export_onnx.py'), run_name='__main__')


@pytest.mark.parametrize(
    ('channels', 'size', 'message'),
    [(1, (16, 16), 'to have 1 channels'), (3, (1, 0), 'takes|size')],
)
def test_a_model_that_takes_other_images(channels: int, size: tuple, message: str, tmp_path: Path):
    model = MODELS.build(config(backbone=dict(BACKBONE, in_channels=channels)).model)
    with pytest.raises(ValueError, match=rf'does not take images \(N, 3, .*{message}'):
        export_onnx(model.eval(), size, tmp_path / 'model.onnx', {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('option', ['mean', 'std'])
def test_a_normalisation_of_two_channels(option: str):
    preprocessor = dict(mean=[1.0], std=[1.0]) | {option: [1.0, 2.0]}
    with pytest.raises(ValueError, match=rf'data_preprocessor\.{option} has 2 values'):
        find_preprocessing(config(data_preprocessor=preprocessor))
