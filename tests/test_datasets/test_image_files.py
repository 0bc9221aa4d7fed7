"""Which files of a folder are images."""

from pathlib import Path

import pytest
from helpers.logs import log  # noqa: F401

from amlfs_mm.datasets.image_files import list_image_folders, list_images, log_left_out
from amlfs_mm.utils.image_names import IMAGE_EXTENSIONS


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_extensions_in_any_case(tmp_path: Path):
    names = [f'a{end}' for end in IMAGE_EXTENSIONS] + [f'b{e.upper()}' for e in IMAGE_EXTENSIONS]
    touch(tmp_path, *names, 'c.txt', 'd', 'png', 'e.png.part')
    found = list_images(tmp_path)
    assert found.images == sorted(names)
    assert found.left_out == ['c.txt', 'd', 'e.png.part', 'png']


def test_hidden_and_system_files_are_ignored(tmp_path: Path):
    names = ['._a.jpg', '.DS_Store', 'Thumbs.db', 'DESKTOP.INI', '.ipynb_checkpoints/a.png']
    touch(tmp_path, 'a.jpg', 'b/c.jpg', *names, '__MACOSX/a.jpg', 'b/.git/x.png', '@eaDir/a.jpg')
    assert list_images(tmp_path) == (['a.jpg', 'b/c.jpg'], [])
    assert list_images(tmp_path, recursive=False) == (['a.jpg'], ['b'])
    assert list_image_folders(tmp_path) == (['b'], [['c.jpg']], ['a.jpg'])


def test_nested_and_empty_folders(tmp_path: Path):
    touch(tmp_path, 'a/1/x.png', 'a/1/2/y.png', 'a/z.png', 'a/1/notes.md', 'stray.png')
    (tmp_path / 'b').mkdir()
    found = list_image_folders(tmp_path)
    assert found == (
        ['a', 'b'],
        [['1/2/y.png', '1/x.png', 'z.png'], []],
        ['a/1/notes.md', 'stray.png'],
    )


def test_names_that_are_not_ascii(tmp_path: Path):
    names = ['\u00e9.png', 'e\u0301.png', '\u4eba.jpg', ' two  spaces .jpg', '#1.jpg', "q'uote.jpg"]
    touch(tmp_path, *names)
    (tmp_path / b'\xff\xfe.png'.decode('utf-8', 'surrogateescape')).touch()
    assert len(list_images(tmp_path).images) == len(names) + 1


def test_links_are_followed(tmp_path: Path):
    touch(tmp_path, 'there/a.jpg', 'here/b.jpg')
    (tmp_path / 'here' / 'more').symlink_to(tmp_path / 'there')
    (tmp_path / 'here' / 'c.jpg').symlink_to(tmp_path / 'there' / 'a.jpg')
    assert list_images(tmp_path / 'here').images == ['b.jpg', 'c.jpg', 'more/a.jpg']
    (tmp_path / 'here' / 'c.jpg').unlink()
    (tmp_path / 'here' / 'c.jpg').symlink_to('nowhere.jpg')
    with pytest.raises(FileNotFoundError, match=r"c\.jpg is a link to 'nowhere\.jpg'"):
        list_images(tmp_path / 'here')
    (tmp_path / 'here' / 'c.jpg').unlink()
    (tmp_path / 'there' / 'up').symlink_to(tmp_path / 'here')
    with pytest.raises(OSError, match='up is a link to a folder that holds it'):
        list_images(tmp_path / 'here')


def test_folders_that_cannot_be_listed(tmp_path: Path):
    touch(tmp_path, 'a.jpg')
    with pytest.raises(NotADirectoryError, match=r'a\.jpg'):
        list_images(tmp_path / 'a.jpg')
    with pytest.raises(FileNotFoundError, match='none'):
        list_images(tmp_path / 'none')


def test_what_is_left_out_is_said(tmp_path: Path, log):  # noqa: F811
    log_left_out(tmp_path, [])
    assert not log.text
    log_left_out(tmp_path, ['a.txt', 'b.TXT', 'c', 'd.npy'])
    assert '4 files or folders are left out' in log.text
    assert "2 .txt, 1 without extension, 1 .npy; the first is 'a.txt'" in log.text
