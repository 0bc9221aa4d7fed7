"""A checkpoint can be read without running anything that is in it."""

import os
import pickle
import sys
from pathlib import Path

import pytest
import torch
from conftest import TINY_SEARCH, build, load, run, train
from mmengine.logging import HistoryBuffer


class Payload:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


class LookUp:
    """Unpickling this calls getattr(HistoryBuffer, name)."""

    def __init__(self, owner: object, name: str) -> None:
        self.arguments = owner, name

    def __reduce__(self):
        return getattr, self.arguments


def poisoned(checkpoint: Path, field: str, marker: Path, target: Path) -> Path:
    content = load(checkpoint)
    content[field]['poison'] = Payload(marker)
    torch.save(content, target)
    with pytest.raises(pickle.UnpicklingError):
        load(target)
    return target


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_malicious_checkpoint_is_refused(tiny_run: Path, tmp_path: Path, tool: str):
    marker = tmp_path / 'ran'
    path = poisoned(tiny_run / 'epoch_1.pth', 'state_dict', marker, tmp_path / 'epoch_1.pth')
    if tool == 'train':
        done = train(tmp_path, '--resume', str(path), check=False)
    else:
        done = run([sys.executable, 'tools/test.py', TINY_SEARCH, path, '--work-dir', tmp_path])
    assert done.returncode != 0
    assert 'is refused' in done.stdout
    assert str(path) in done.stdout
    assert not marker.exists()
    # The payload is live: without the guard it runs.
    torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize('field', ['message_hub', 'meta', 'optimizer', 'loss_search'])
def test_no_field_of_a_checkpoint_can_run_code(tiny_run: Path, tmp_path: Path, field: str):
    poisoned(tiny_run / 'epoch_1.pth', field, tmp_path / 'ran', tmp_path / 'bad.pth')
    assert not (tmp_path / 'ran').exists()


def test_a_damaged_checkpoint_is_named(tiny_run: Path, tmp_path: Path):
    path = tmp_path / 'cut.pth'
    whole = (tiny_run / 'epoch_1.pth').read_bytes()
    runner = build(tmp_path)
    for length in (0, 100, 5000, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r'cut\.pth is (damaged|refused)'):
            runner.load_checkpoint(str(path))


def test_histories_load_and_getattr_reaches_nothing_else(tmp_path: Path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save(dict(history=history), tmp_path / 'history.pth')
    assert load(tmp_path / 'history.pth')['history'].mean() == 1.5
    for owner, name in ((HistoryBuffer, '__init__'), (HistoryBuffer, 'register_statistics')):
        torch.save(dict(x=LookUp(owner, name)), tmp_path / 'bad.pth')
        with pytest.raises(pickle.UnpicklingError, match='may not look up'):
            load(tmp_path / 'bad.pth')
