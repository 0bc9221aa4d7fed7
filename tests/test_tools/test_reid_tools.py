"""From a trained model to exported features, ranking pictures, the CMC curve and ONNX."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from helpers.reid_data import people_root  # noqa: F401
from helpers.runs import ROOT, run
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

NAMES = ('spherereid', 'sft', 'mgn')


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Untrained weights of the small models."""
    folder, paths = tmp_path_factory.mktemp('checkpoints'), {}
    for name in NAMES:
        cfg = Config.fromfile(ROOT / f'configs/small/synthetic_people/baseline_{name}_synthetic.py')
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            preprocessor = dict(type='ClsDataPreprocessor', **cfg.data_preprocessor)
            model = MODELS.build(dict(cfg.model, data_preprocessor=preprocessor))
        model.train()
        model(torch.randn(8, 3, 96, 48), mode='tensor')  # batch statistics other than 0 and 1
        paths[name] = folder / f'{name}.pth'
        torch.save(dict(state_dict=model.state_dict()), paths[name])
    return paths


@pytest.mark.parametrize('name', NAMES)
def test_onnx(name: str, checkpoints: dict, tmp_path: Path):
    config = ROOT / f'configs/small/synthetic_people/baseline_{name}_synthetic.py'
    out = tmp_path / 'model.onnx'
    done = run([sys.executable, 'tools/export_onnx.py', config, checkpoints[name], '--out', out])
    assert done.returncode == 0, done.stdout[-3000:]
    assert 'images (N, 3, 96, 48), largest difference' in done.stdout

    cfg = Config.fromfile(config)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model).eval()
    model.load_state_dict(torch.load(checkpoints[name])['state_dict'])
    images = torch.randn(5, 3, 96, 48)
    session = onnxruntime.InferenceSession(out, providers=['CPUExecutionProvider'])
    (features,) = session.run(['features'], dict(images=images.numpy()))
    with torch.no_grad():
        expected = model(images).numpy()
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5)
    metadata = {prop.key: prop.value for prop in onnx.load(out).metadata_props}
    assert json.loads(metadata['preprocessing']) == dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], order='RGB', size=[96, 48]
    )


def test_onnx_of_a_searched_model_has_no_loss_in_it(checkpoints: dict, tmp_path: Path):
    """theta is in the checkpoint; the features do not depend on it."""
    config = ROOT / 'configs/small/synthetic_people/amlfs_spherereid_synthetic.py'
    state = torch.load(checkpoints['spherereid'])['state_dict']
    state['head.theta'] = torch.randn(24)
    torch.save(dict(state_dict=state), tmp_path / 'searched.pth')
    out = tmp_path / 'model.onnx'
    tool = [sys.executable, 'tools/export_onnx.py']
    done = run([*tool, config, tmp_path / 'searched.pth', '--out', out])
    assert done.returncode == 0, done.stdout[-3000:]
    names = {initializer.name for initializer in onnx.load(out).graph.initializer}
    assert not any('theta' in name or 'head' in name for name in names)


def test_onnx_without_a_checkpoint(tmp_path: Path):
    config = ROOT / 'configs/small/synthetic_people/baseline_spherereid_synthetic.py'
    done = run([sys.executable, 'tools/export_onnx.py', config, tmp_path / 'none.pth'])
    assert done.returncode != 0
    assert 'there is no checkpoint' in done.stdout


def test_features_and_pictures(people_root: Path, checkpoints: dict, tmp_path: Path):  # noqa: F811
    config = ROOT / 'configs/small/synthetic_people/baseline_spherereid_synthetic.py'
    features = tmp_path / 'features.npz'
    test = [sys.executable, 'tools/test.py', config, checkpoints['spherereid']]
    options = ['--cfg-options', f'test_evaluator.features_file={features}']
    done = run([*test, '--work-dir', tmp_path, *options], DATA_ROOT=str(people_root))
    assert done.returncode == 0, done.stdout[-3000:]
    with np.load(features) as arrays:
        assert arrays['query_features'].shape == (len(arrays['query_ids']), 128)
        assert Path(str(arrays['gallery_paths'][0])).is_file()
    tool = [sys.executable, 'tools/analysis/show_rankings.py', features, '--out-dir', tmp_path]
    done = run([*tool, '--queries', '2', '--top', '4', '--rerank'])
    assert done.returncode == 0, done.stdout[-3000:]
    for name in ('ranking_best.png', 'ranking_worst.png', 'cmc.png'):
        assert (tmp_path / name).read_bytes().startswith(b'\x89PNG')
        assert name in done.stdout
    done = run([*tool[:2], tmp_path / 'none.npz'])
    assert 'there is no file' in done.stdout
