"""Importing the package, and asking the launcher for help, waits for nothing but mmengine."""

import sys

import pytest
from helpers.runs import run

HEAVY = [
    'cv2',
    'insightface',
    'matplotlib',
    'mmcv',
    'mmpretrain',
    'onnxruntime',
    'scipy',
    'sklearn',
    'torchreid',
    'torchvision',
    'transformers',
]
HELP = 'import runpy; sys.argv[1:] = ["--help"]; runpy.run_path("tools/train.py", {}, "__main__")'
COMPONENTS = """
import amlfs_mm
from mmengine.registry import DATASETS, HOOKS, METRICS, MODELS, RUNNERS, TASK_UTILS, TRANSFORMS
from mmengine.registry import DATA_SAMPLERS, DefaultScope

names = {
    DATASETS: 'Digits', DATA_SAMPLERS: 'IdentityBatchSampler', HOOKS: 'LossSearchHook',
    METRICS: 'ReIDMetric', MODELS: 'AMLFSHead', RUNNERS: 'LossSearchRunner',
    TRANSFORMS: 'LabelNoise',
}
for registry, name in names.items():
    assert registry.get(f'amlfs_mm.{name}').__name__ == name
for name in ('CMAESPolicy', 'GaussianPolicy', 'SearchSpace'):
    assert TASK_UTILS.get(f'amlfs_mm.{name}').__name__ == name
with MODELS.switch_scope_and_registry('amlfs_mm') as registry:
    assert registry.get('SFTHead') is amlfs_mm.models.SFTHead
"""


@pytest.mark.parametrize('what', ['import amlfs_mm', HELP])
def test_heavy_packages_stay_out(what: str):
    report = f'print("heavy:", sorted(set({HEAVY}) & set(sys.modules)))'
    code = f'import atexit, sys; atexit.register(lambda: {report}); {what}'
    done = run([sys.executable, '-c', code])
    assert done.stdout.endswith('heavy: []\n'), done.stdout


def test_all_components_are_found_without_importing_them_first():
    done = run([sys.executable, '-c', COMPONENTS])
    assert done.returncode == 0, done.stdout


def test_sub_packages_need_no_import_of_their_own():
    import amlfs_mm

    assert amlfs_mm.search.SearchSpace.__module__ == 'amlfs_mm.search.search_space'
    assert {'analysis', 'models', 'visualization'} <= set(dir(amlfs_mm))
    with pytest.raises(AttributeError, match="'amlfs_mm' has no attribute 'losses'"):
        _ = amlfs_mm.losses


@pytest.mark.slow
def test_start_up_takes_less_than_twice_mmengine():
    done = run([sys.executable, 'benchmarks/start_up.py', '--repeats', 3])
    assert done.returncode == 0, done.stdout
