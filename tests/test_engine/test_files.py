"""A file is the old one or the new one, never a half; the newest whole checkpoint is found."""

from pathlib import Path

import pytest
import torch
from conftest import build, load

from amlfs_mm.engine.runner import find_latest_checkpoint
from amlfs_mm.files import replace_when_whole


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / 'log.txt'
    path.write_text('old')

    def write_half() -> None:
        with replace_when_whole(path) as temporary:
            temporary.write_text('ne')
            raise OSError('No space left on device')

    with pytest.raises(OSError, match='No space left'):
        write_half()
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]
    with replace_when_whole(path) as temporary:
        temporary.write_text('new')
    assert path.read_text() == 'new'
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch):
    build(tmp_path, **{'train_cfg.max_epochs': 1, 'custom_hooks': []}).train()
    runner = build(tmp_path, **{'train_cfg.max_epochs': 2, 'custom_hooks': [], 'resume': True})
    before = (tmp_path / 'epoch_1.pth').read_bytes()
    save = torch.save

    def save_half(content, file, **kwargs):
        save({}, file, **kwargs)
        raise OSError('No space left on device')

    monkeypatch.setattr(torch, 'save', save_half)
    with pytest.raises(OSError, match='No space left'):
        runner.train()
    monkeypatch.undo()
    assert (tmp_path / 'epoch_1.pth').read_bytes() == before
    assert load(find_latest_checkpoint(tmp_path))['meta']['epoch'] == 1
    assert not list(tmp_path.glob('.*.part'))
    assert not (tmp_path / 'epoch_2.pth').exists()


def test_find_latest_checkpoint(tmp_path: Path):
    assert find_latest_checkpoint(tmp_path) is None
    for n in (2, 10):
        (tmp_path / f'epoch_{n}.pth').touch()
    (tmp_path / 'epoch_last.pth').touch()
    assert find_latest_checkpoint(tmp_path).name == 'epoch_10.pth'
    pointer = tmp_path / 'last_checkpoint'
    pointer.write_text(str(tmp_path / 'epoch_2.pth'))
    assert find_latest_checkpoint(tmp_path).name == 'epoch_2.pth'
    pointer.write_text('/moved/away/epoch_2.pth')
    assert find_latest_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'
    for torn in ('', '/some/where/epo'):
        pointer.write_text(torn)
        assert find_latest_checkpoint(tmp_path).name == 'epoch_10.pth'
