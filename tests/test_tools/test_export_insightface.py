"""Recognisers for insightface: loaded by its own get_model, fed by its own get_feat, norm_crop."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.runs import ROOT
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import nn

from amlfs_mm.models import IResNet
from amlfs_mm.models.classifiers import InsightFaceInput

IRESNET = dict(
    type='amlfs_mm.IResNet', depth=18, input_size=(112, 112), base_channels=4, out_channels=16
)
SPHEREFACE = dict(
    type='amlfs_mm.SphereFace20', input_size=(112, 96), base_channels=4, out_channels=16
)
OTHER = dict(mean=[90.0, 120.0, 150.0], std=[50.0, 60.0, 70.0])
CASES = {
    'as insightface normalises': (IRESNET, dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)),
    'another normalisation': (IRESNET, dict(OTHER, to_rgb=True)),
    '112 x 96': (SPHEREFACE, dict(mean=[127.5] * 3, std=[128.0] * 3, to_rgb=True)),
    'BGR': (SPHEREFACE, OTHER),
}


def write(folder: Path, backbone: dict, preprocessor: dict) -> tuple[Path, Path, nn.Module]:
    """A config, a checkpoint, and the model with its own preprocessing, in evaluation mode."""
    head = dict(type='amlfs_mm.AMLFSHead', num_classes=5, in_channels=16, scale=30.0)
    model = dict(type='amlfs_mm.EmbeddingClassifier', backbone=backbone, head=head)
    config, checkpoint = folder / 'config.py', folder / 'checkpoint.pth'
    config.write_text(
        f'default_scope = "mmpretrain"\nmodel = {model!r}\ndata_preprocessor = {preprocessor!r}\n'
        'test_dataloader = dict(dataset=dict(pipeline=[dict(type="PackInputs")]))\n'
    )
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        built = MODELS.build(
            dict(model, data_preprocessor=dict(type='ClsDataPreprocessor', **preprocessor))
        )
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.fill_(2.0)
    torch.save(dict(state_dict=built.state_dict()), checkpoint)
    return config, checkpoint, built.eval()


def export(monkeypatch: pytest.MonkeyPatch, *arguments) -> None:
    """tools/export_onnx.py in this process."""
    monkeypatch.setattr(sys, 'argv', ['export_onnx.py', *map(str, arguments)])
    runpy.run_path(str(ROOT / 'tools' / 'export_onnx.py'), run_name='__main__')


@pytest.mark.parametrize('case', CASES)
def test_insightface_loads_it(case: str, tmp_path: Path, monkeypatch):
    model_zoo = pytest.importorskip('insightface.model_zoo')
    from insightface.utils.face_align import norm_crop

    backbone, preprocessor = CASES[case]
    config, checkpoint, model = write(tmp_path, backbone, preprocessor)
    out = tmp_path / 'model.onnx'
    order = [] if 'to_rgb' in preprocessor else ['--order', 'BGR']
    export(monkeypatch, config, checkpoint, '--out', out, '--insightface', *order)

    recogniser = model_zoo.get_model(str(out), providers=['CPUExecutionProvider'])
    assert recogniser.taskname == 'recognition'
    assert recogniser.input_size == (112, 112)
    assert (recogniser.input_mean, recogniser.input_std) == (127.5, 127.5)
    # A photograph with five landmarks; the faces as insightface aligns them, BGR.
    generator = np.random.default_rng(0)
    photographs = generator.integers(0, 256, (3, 180, 160, 3), dtype=np.uint8)
    landmarks = np.array([[60, 70], [100, 72], [80, 95], [64, 120], [98, 121]], np.float32)
    faces = [norm_crop(image, landmarks) for image in photographs]
    features = recogniser.get_feat(faces)
    assert features.shape == (3, 16)

    height, width = model.backbone.input_size
    edge = (112 - width) // 2
    crops = [torch.from_numpy(face).permute(2, 0, 1)[:, :, edge : 112 - edge] for face in faces]
    with torch.no_grad():
        expected = model(model.data_preprocessor(dict(inputs=crops))['inputs']).numpy()
    assert crops[0].shape == (3, height, width)
    np.testing.assert_allclose(features, expected, atol=1e-4 * np.abs(expected).max())
    one = recogniser.get_feat(faces[1])
    np.testing.assert_allclose(one[0], features[1], atol=1e-4 * np.abs(expected).max())


def test_what_insightface_cannot_feed_is_refused(tmp_path: Path, monkeypatch):
    backbone = dict(IRESNET, input_size=(96, 96))
    config, checkpoint, _ = write(tmp_path, backbone, CASES['112 x 96'][1])
    with pytest.raises(SystemExit, match=r'no recognisers of 96 x 96.*model_task=.recognition'):
        export(monkeypatch, config, checkpoint, '--out', tmp_path / 'x.onnx', '--insightface')
    config, checkpoint, _ = write(tmp_path, *CASES['BGR'])
    with pytest.raises(SystemExit, match='give --order RGB or --order BGR'):
        export(monkeypatch, config, checkpoint, '--out', tmp_path / 'x.onnx', '--insightface')
    assert not (tmp_path / 'x.onnx').exists()


@pytest.mark.parametrize(
    ('size', 'fed'),
    [((112, 112), (112, 112)), ((112, 96), (112, 112)), ((128, 128), (128, 128)),
     ((224, 224), (224, 224)), ((96, 96), None), ((192, 192), None), ((144, 144), None),
     ((112, 128), None), ((96, 112), None)],
)  # fmt: skip
def test_sizes(size: tuple, fed: tuple | None):
    if fed is None:
        with pytest.raises(ValueError, match=f'{size[0]} x {size[1]}'):
            InsightFaceInput(nn.Identity(), size, [127.5] * 3, [127.5] * 3)
    else:
        assert InsightFaceInput(nn.Identity(), size, [127.5] * 3, [127.5] * 3).size == fed


def test_the_network_is_the_models_where_the_input_is():
    """Nothing is added to the network where insightface's input is the model's."""
    net = IResNet(18, base_channels=2, out_channels=4).eval()
    wrapped = InsightFaceInput(net, (112, 112), [127.5] * 3, [127.5] * 3)
    x = torch.randn(1, 3, 112, 112)
    assert torch.equal(wrapped(x)[0], net(x)[0])
