"""A file is the old one or the new one, never a half; the newest whole checkpoint is found."""

import shutil
import struct
import zipfile
from pathlib import Path

import pytest
from helpers.runs import assert_same_run, build, train

from amlfs_mm.engine.state.checkpoints import find_checkpoints, is_whole
from amlfs_mm.utils.atomic_files import atomic_write


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / 'log.txt'
    path.write_text('old')

    def write_half() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text('ne')
            raise OSError('No space left on device')

    with pytest.raises(OSError, match=f'cannot write {path}: No space left'):
        write_half()
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]
    with atomic_write(path) as temporary:
        temporary.write_text('new')
    assert path.read_text() == 'new'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    'name', ['epoch_2.pth', pytest.param('loss_search.jsonl', marks=pytest.mark.slow)]
)
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, tiny_run: Path, name: str):
    """/dev/full refuses each write with the error of a full disk."""
    work_dir = tmp_path / 'work'
    work_dir.mkdir()
    shutil.copy(tiny_run / 'epoch_1.pth', work_dir)
    before = (work_dir / 'epoch_1.pth').read_bytes()
    (work_dir / f'.{name}.part').symlink_to('/dev/full')
    options = ['--resume', '--cfg-options', 'train_cfg.max_epochs=2']
    done = train(work_dir, *options, check=False)
    assert done.returncode != 0
    assert f'cannot write {work_dir / name}: No space left on device' in done.stdout
    assert 'MB free' in done.stdout
    assert 'rank 0 failed in epoch 2' in done.stdout
    assert (work_dir / 'epoch_1.pth').read_bytes() == before
    assert not (work_dir / 'epoch_2.pth').exists()
    assert not list(work_dir.glob('.*.part'))

    done = train(work_dir, *options)  # there is space again
    assert 'Resuming from' in done.stdout
    assert len((work_dir / 'loss_search.jsonl').read_text().splitlines()) == 2


def test_find_checkpoints(tmp_path: Path):
    assert find_checkpoints(tmp_path) == []
    for n in (2, 10, 9):
        (tmp_path / f'epoch_{n}.pth').touch()
    (tmp_path / 'epoch_last.pth').touch()
    numbered = [tmp_path / f'epoch_{n}.pth' for n in (10, 9, 2)]
    pointer = tmp_path / 'last_checkpoint'
    # A pointer that a kill left behind the newest file, or torn, changes nothing.
    for text in (str(numbered[1]), '/moved/away/epoch_9.pth', '', '/some/where/epo'):
        pointer.write_text(text)
        assert find_checkpoints(tmp_path) == numbered
    # Another name than mmengine's default.
    (tmp_path / 'step_7.pth').touch()
    pointer.write_text('/moved/away/step_7.pth')
    assert find_checkpoints(tmp_path) == [tmp_path / 'step_7.pth', *numbered]


def middle_of_largest_part(path: Path) -> int:
    """Where in a zip archive the middle of its largest part lies."""
    with zipfile.ZipFile(path) as archive:
        part = max(archive.infolist(), key=lambda info: info.file_size)
    # The part follows its own header of 30 bytes, its name and an extra field.
    name, extra = struct.unpack_from('<HH', path.read_bytes(), part.header_offset + 26)
    return part.header_offset + 30 + name + extra + part.file_size // 2


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == 'cut':
        del content[len(content) // 2 :]
    elif how == 'empty':
        content.clear()
    else:  # one bit of a weight: the file's structure is whole
        content[middle_of_largest_part(path)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize('how', ['cut', 'empty', 'bit'])
def test_the_checkpoint_before_a_damaged_one_is_used(tiny_run: Path, tmp_path: Path, how: str):
    for name in ('epoch_1.pth', 'epoch_2.pth', 'loss_search.jsonl'):
        shutil.copy(tiny_run / name, tmp_path)
    assert is_whole(tmp_path / 'epoch_2.pth')
    damage(tmp_path / 'epoch_2.pth', how)
    assert not is_whole(tmp_path / 'epoch_2.pth')
    done = train(tmp_path, '--resume')
    assert f'{tmp_path / "epoch_2.pth"} is damaged' in done.stdout
    assert f'Resuming from {tmp_path / "epoch_1.pth"}' in done.stdout
    assert_same_run(tiny_run, tmp_path)


def test_only_damaged_checkpoints_are_an_error(tiny_run: Path, tmp_path: Path):
    """Starting anew would overwrite what may still be mended."""
    shutil.copy(tiny_run / 'epoch_1.pth', tmp_path)
    damage(tmp_path / 'epoch_1.pth', 'cut')
    with pytest.raises(ValueError, match=r"are damaged: \['epoch_1.pth'\]"):
        build(tmp_path, resume=True).train()
