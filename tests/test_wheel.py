"""The wheel is the product: what is in it, what it asks for, and that it works by itself."""

from __future__ import annotations

import email
import os
import stat
import subprocess
import sys
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from helpers.runs import ROOT, run
from helpers.wheels import Environment, build_wheel
from packaging.requirements import Requirement

from amlfs_mm.version import __version__

FOR_CLONES = {'make_env.sh', 'quickstart.sh', 'run_tests.sh'}
SAME_IMPORT_NAME = {
    *('mmengine', 'mmcv', 'mmcv-lite', 'mmpretrain'),
    *('onedl-mmengine', 'onedl-mmcv', 'onedl-mmpretrain'),
}


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp('wheel'))


@pytest.fixture
def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith('dist-info/METADATA')]
        return email.message_from_bytes(archive.read(name))


def requirements(metadata: Message, extra: str = '') -> set[str]:
    """The names of the packages that an installation with the extra brings."""
    lines = map(Requirement, metadata.get_all('Requires-Dist'))
    return {
        line.name for line in lines if line.marker is None or line.marker.evaluate({'extra': extra})
    }


def test_it_has_the_configs_and_tools_of_the_repository(wheel: Path):
    expected = {'model-index.yml': ROOT / 'model-index.yml'}
    for folder in ('configs', 'tools'):
        for path in (ROOT / folder).rglob('*'):
            if path.is_file() and path.suffix != '.pyc' and path.name not in FOR_CLONES:
                expected[str(path.relative_to(ROOT))] = path
    with ZipFile(wheel) as archive:
        start = 'amlfs_mm/.mim/'
        found = {name[len(start) :] for name in archive.namelist() if name.startswith(start)}
        assert found == set(expected)
        for name, path in expected.items():
            entry = archive.getinfo(start + name)
            assert archive.read(entry) == path.read_bytes()
            assert stat.S_ISREG(entry.external_attr >> 16)  # a link would lead nowhere
            assert bool(entry.external_attr >> 16 & 0o100) == os.access(path, os.X_OK)


def test_it_has_all_of_the_package(wheel: Path):
    def has_files_of(path: Path) -> bool:
        return path.is_file() and '.mim' not in path.parts and path.suffix != '.pyc'

    package = ROOT / 'amlfs_mm'
    expected = {str(p.relative_to(ROOT)) for p in package.rglob('*') if has_files_of(p)}
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if '.mim' not in name}
    assert {name for name in names if name.startswith('amlfs_mm/')} == expected
    assert {name.split('/')[0] for name in names} == {
        'amlfs_mm',
        f'amlfs_mm-{__version__}.dist-info',
    }


def test_it_overwrites_nothing_that_is_installed(metadata: Message):
    """Full or lite mmcv, stock packages or forks: it requires none, and an extra one of each."""
    assert not requirements(metadata) & SAME_IMPORT_NAME
    extras = set(metadata.get_all('Provides-Extra'))
    stacks = {extra: requirements(metadata, extra) & SAME_IMPORT_NAME for extra in extras}
    assert {extra: names for extra, names in stacks.items() if names} == {
        'lite': {'mmengine', 'mmcv-lite', 'mmpretrain'},
        'mim': {'mmengine', 'mmcv', 'mmpretrain'},
        'onedl': {'onedl-mmengine', 'onedl-mmcv', 'onedl-mmpretrain'},
    }
    everything = set().union(*(requirements(metadata, extra) for extra in extras))
    assert requirements(metadata, 'all') == everything - SAME_IMPORT_NAME


def test_its_metadata(metadata: Message):
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert metadata['Version'] == citation['version'] == __version__
    assert metadata['Author'] == ', '.join(author['name'] for author in citation['authors'])
    assert metadata['License-Expression'] == citation['license']
    assert metadata['Requires-Python'] == '>=3.10'
    pythons = {f'Programming Language :: Python :: 3.{minor}' for minor in range(10, 14)}
    assert pythons <= set(metadata.get_all('Classifier'))
    assert metadata.get_payload() == (ROOT / 'README.md').read_text()


@pytest.mark.slow
@pytest.mark.parametrize('packages', ['installed here', 'newest of the index'])
def test_it_works_in_an_environment_of_its_own(packages: str, wheel: Path, tmp_path: Path):
    """Import, a config by ``amlfs_mm::``, an epoch of a search, a test, the report."""
    environment = Environment(tmp_path / 'environment')
    if packages == 'installed here':
        environment.install('--no-deps', wheel)
        environment.borrow_packages()
    elif os.environ.get('AMLFS_MM_DOWNLOAD'):
        environment.install(f'{wheel}[lite,digits,analysis]')
    else:
        pytest.skip('downloads torch and its CUDA libraries: AMLFS_MM_DOWNLOAD=1 runs it')
    print_path = 'import amlfs_mm; print(amlfs_mm.__path__[0])'
    path = environment.run('python', '-c', print_path).splitlines()[-1]
    assert environment.folder in Path(path).parents

    config, work_dir = tmp_path / 'mine.py', tmp_path / 'work_dir'
    config.write_text(
        "_base_ = ['amlfs_mm::small/digits/amlfs_resnet20_digits.py']\n"
        'train_cfg = dict(max_epochs=1)\n'
        'loss_search = dict(num_candidates=2)\n'
    )
    environment.run('amlfs_mm', 'train', config, '--work-dir', work_dir)
    assert len((work_dir / 'loss_search.jsonl').read_text().splitlines()) == 1
    checkpoint, out = work_dir / 'epoch_1.pth', work_dir / 'test.json'
    environment.run('amlfs_mm', 'test', config, checkpoint, '--out', out)
    environment.run('amlfs_mm', 'report', work_dir, '--out', tmp_path / 'report.html')
    report = (tmp_path / 'report.html').read_text()
    assert 'amlfs_mm report' in report
    assert 'accuracy/top1' in report


MISSING = [
    (['mmengine'], 'import amlfs_mm', 'amlfs_mm needs mmengine or onedl-mmengine'),
    (['mmcv'], 'import amlfs_mm', 'amlfs_mm needs mmcv, mmcv-lite or onedl-mmcv'),
    (['mmpretrain'], 'import amlfs_mm', 'amlfs_mm needs mmpretrain or onedl-mmpretrain'),
    (
        ['sklearn'],
        'from amlfs_mm.datasets import Digits; Digits("train")',
        "amlfs_mm.Digits needs more packages: pip install 'amlfs_mm[digits]'",
    ),
    (
        ['scipy'],
        'import amlfs_mm.analysis',
        "statistics of runs needs more packages: pip install 'amlfs_mm[analysis]'",
    ),
    (
        ['jinja2'],
        'import amlfs_mm.cli.report',
        "the report needs more packages: pip install 'amlfs_mm[analysis]'",
    ),
    (
        ['onnx'],
        'from amlfs_mm.export import export_onnx; export_onnx(None, (8, 8), "x", {})',
        "the export to ONNX needs more packages: pip install 'amlfs_mm[export]'",
    ),
    (
        ['cmaes'],
        'from amlfs_mm.search import CMAESPolicy; CMAESPolicy([0.0])',
        "CMAESPolicy needs cmaes: pip install 'amlfs_mm[search]'",
    ),
]


def run_without(modules: list[str], code: str) -> subprocess.CompletedProcess:
    """Run code where modules are missing, as Python marks a module that cannot be imported."""
    missing = ''.join(f'sys.modules[{module!r}] = None\n' for module in modules)
    return run([sys.executable, '-c', f'import sys\n{missing}{code}'])


@pytest.mark.parametrize(('modules', 'code', 'sentence'), MISSING, ids=lambda value: str(value[0]))
def test_a_sentence_says_what_to_install(modules: list[str], code: str, sentence: str):
    done = run_without(modules, code)
    assert done.returncode == 1
    assert sentence in done.stdout.splitlines()[-1]


def test_only_statistics_and_the_report_are_imported_with_an_extra():
    """All other modules can be imported without; what they need is imported when it is used."""
    code = (
        'import importlib, pkgutil, amlfs_mm\n'
        'for module in pkgutil.walk_packages(amlfs_mm.__path__, "amlfs_mm."):\n'
        '    if module.name.split(".")[1] not in ("analysis", "cli", "__main__"):\n'
        '        importlib.import_module(module.name)\n'
    )
    optional = ['cmaes', 'insightface', 'jinja2', 'onnx', 'onnxruntime', 'scipy', 'skimage']
    done = run_without([*optional, 'sklearn', 'torchreid'], code)
    assert done.returncode == 0, done.stdout[-3000:]
