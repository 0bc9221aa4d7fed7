"""The command ``amlfs_mm`` does what the scripts in ``tools/`` do."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.runs import ROOT, TINY_SEARCH, assert_same_run, free_port, run

from amlfs_mm.cli.commands import COMMANDS, main
from amlfs_mm.utils.command_line import config_file
from amlfs_mm.version import __version__

AMLFS_MM = [sys.executable, '-m', 'amlfs_mm']
MIM = ROOT / 'amlfs_mm' / '.mim'


def test_help_lists_all_commands():
    done = run([*AMLFS_MM, '--help'])
    assert done.returncode == 0, done.stdout
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith('  ')]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_version(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match='0'):
        main(['--version'])
    assert capsys.readouterr().out == f'amlfs_mm {__version__}\n'


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture, monkeypatch):
    monkeypatch.setattr(sys, 'argv', sys.argv)
    with suppress(SystemExit):  # torchrun's `record`, around train, turns it into a return
        main([name, '--help'])
    assert capsys.readouterr().out.startswith(f'usage: amlfs_mm {name} ')


def test_an_unknown_command(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit, match='2'):
        main(['no-such-command'])
    assert "'no-such-command' (choose from" in capsys.readouterr().err


def test_errors_start_with_the_command(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', sys.argv)
    with pytest.raises(SystemExit, match=r'^amlfs_mm export-loss: there is no file .*nowhere'):
        main(['export-loss', str(tmp_path / 'nowhere')])


def test_every_script_is_a_command():
    scripts = {path.stem for path in (ROOT / 'tools').rglob('*.py')}
    assert scripts <= {command.module.split('.')[-1] for command in COMMANDS.values()}


def test_it_trains_on_several_processes(tiny_run: Path, tmp_path: Path):
    """With torchrun; the search is that of ``tools/train.py``."""
    torchrun = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2']
    train = ['-m', 'amlfs_mm', 'train', TINY_SEARCH, '--work-dir', tmp_path]
    port = f'--master_port={free_port()}'
    done = run([*torchrun, port, *train, '--launcher', 'pytorch'])
    assert done.returncode == 0, done.stdout[-3000:]
    assert '2 process(es) = 2 sub-runner(s) x 1 replica(s)' in done.stdout
    assert_same_run(tiny_run, tmp_path)


def test_a_config_may_be_named_by_its_package(monkeypatch):
    name = 'small/digits/amlfs_resnet20_digits.py'
    assert config_file(f'amlfs_mm::{name}') == MIM / 'configs' / name
    assert config_file('mmpretrain::resnet/resnet18_8xb16_cifar10.py').is_file()
    assert config_file(name) == Path(name)
    monkeypatch.setenv('HOME', '/home/someone')
    assert config_file('~/mine.py') == Path('/home/someone/mine.py')


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('amlfs_mm::none.py', 'none.py" does not exist'),
        ('nothing::none/none.py', 'does not support to load nothing'),
        ('mmdet::none/none.py', 'mmdet is not installed'),
    ],
)
def test_no_config_of_that_name(name: str, reason: str, capsys: pytest.CaptureFixture, monkeypatch):
    monkeypatch.setattr(sys, 'argv', sys.argv)
    with pytest.raises(SystemExit, match='2'):
        main(['train', name])
    error = capsys.readouterr().err.splitlines()[-1]
    assert f'argument config: there is no config {name}: ' in error
    assert reason in error
