"""The wheel is the product: what is in it, what it asks for, and that it works by itself."""

from __future__ import annotations

import email
import json
import os
import stat
import sys
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from helpers.runs import ROOT, run
from helpers.wheels import Environment, build_wheel
from packaging.requirements import Requirement

from amlfs_mm.cli.commands import main
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
        return email.message_from_string(archive.read(name).decode())


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


OPENMMLAB = [
    ('mmengine', 'amlfs_mm needs mmengine or onedl-mmengine: '),
    ('mmcv', 'amlfs_mm needs mmcv, mmcv-lite or onedl-mmcv: '),
    ('mmpretrain', 'amlfs_mm needs mmpretrain or onedl-mmpretrain: '),
]


@pytest.mark.parametrize(('module', 'sentence'), OPENMMLAB)
def test_what_to_install_where_openmmlab_is_missing(module: str, sentence: str):
    # None is how Python marks a module that cannot be imported.
    done = run(
        [sys.executable, '-c', f'import sys; sys.modules["{module}"] = None\nimport amlfs_mm']
    )
    assert done.returncode == 1
    assert sentence in done.stdout.splitlines()[-1]
    assert "pip install 'amlfs_mm[lite]'" in done.stdout.splitlines()[-1]


# In a process without any optional package: imports all modules but those of statistics and of
# the commands, then prints the message of each use.
WITHOUT_OPTIONAL = """
import importlib, json, pkgutil, sys

optional = ['cmaes', 'insightface', 'jinja2', 'onnx', 'onnxruntime', 'scipy', 'skimage', 'sklearn']
for module in [*optional, 'torchreid']:
    sys.modules[module] = None

import amlfs_mm

for module in pkgutil.walk_packages(amlfs_mm.__path__, 'amlfs_mm.'):
    if module.name.split('.')[1] not in ('analysis', 'cli', '__main__'):
        importlib.import_module(module.name)

messages = {}
for name, use in json.loads(sys.argv[1]).items():
    try:
        exec(use)
    except ImportError as error:
        messages[name] = str(error)
print(json.dumps(messages))
"""
USES = {
    'amlfs_mm.Digits': 'amlfs_mm.datasets.Digits("train")',
    'statistics of runs': 'import amlfs_mm.analysis',
    'the export to ONNX': 'amlfs_mm.export.export_onnx(None, (8, 8), "x", {})',
    'CMAESPolicy': 'amlfs_mm.search.CMAESPolicy([0.0])',
    'person re-identification': 'amlfs_mm.models.TorchreidBackbone("osnet_x1_0")',
}
EXTRAS = dict(zip(USES, ('digits', 'analysis', 'export', 'search', 'reid'), strict=True))


def test_what_to_install_where_an_optional_package_is_missing():
    """Only what uses it needs it, and says so."""
    done = run([sys.executable, '-c', WITHOUT_OPTIONAL, json.dumps(USES)])
    assert done.returncode == 0, done.stdout[-3000:]
    messages = json.loads(done.stdout.splitlines()[-1])
    assert list(messages) == list(USES)
    for name, message in messages.items():
        assert message.startswith(f'{name} needs ')
        assert f"pip install 'amlfs_mm[{EXTRAS[name]}]'" in message


def test_a_command_whose_package_is_missing(monkeypatch):
    """One line, and no traceback."""
    monkeypatch.setattr(sys, 'argv', sys.argv)
    monkeypatch.delitem(sys.modules, 'amlfs_mm.cli.report', raising=False)
    monkeypatch.setitem(sys.modules, 'jinja2', None)
    sentence = (
        r"^amlfs_mm report: the report needs more packages: pip install 'amlfs_mm\[analysis\]'"
    )
    with pytest.raises(SystemExit, match=sentence):
        main(['report', 'work_dir'])
