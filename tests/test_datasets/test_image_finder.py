"""Images that a list names, in the folder that they are in."""

from pathlib import Path

import pytest
from helpers.logs import log  # noqa: F401

from amlfs_mm.datasets.image_finder import ImageFinder
from amlfs_mm.utils.text_lists import Line

LINE = Line(3, 'x')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        'Ann Lee/1.JPG',
        'Ann Lee/2.png',
        'bo/1.jpg',
        'bo/._1.jpg',
        'cy/1.jpg',
        'cy/1.png',
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ('name', 'found'),
    [
        ('bo/1.jpg', 'bo/1.jpg'),
        ('BO/1.JPG', 'bo/1.jpg'),
        ('bo\\1', 'bo/1.jpg'),
        ('./bo//1.png', 'bo/1.jpg'),
        ('ann_lee/1.jpg', 'Ann Lee/1.JPG'),
        ('Ann Lee/2.jpg', 'Ann Lee/2.png'),
        ('cy/1.png', 'cy/1.png'),
    ],
)
def test_names(root: Path, name: str, found: str, log):  # noqa: F811
    finder = ImageFinder(root)
    assert finder.find('list.txt', LINE, name) == found
    finder.log('list.txt')
    assert ('list.txt: 1 images in' in log.text) == (name != found)


def test_absolute_paths(root: Path):
    path = str(root / 'bo' / '1.jpg')
    assert ImageFinder(root / 'cy').find('list.txt', LINE, path) == path


@pytest.mark.parametrize(
    'name', ['bo/2.jpg', 'none/1.jpg', 'bo', '', '/none.jpg', 'bo/1.jpg/2.jpg']
)
def test_images_that_are_not_there(root: Path, name: str):
    with pytest.raises(FileNotFoundError, match=r'list\.txt, line 3: there is no image'):
        ImageFinder(root).find('list.txt', LINE, name)


def test_names_of_several_images(root: Path):
    with pytest.raises(ValueError, match=r"list\.txt, line 3: '1\.bmp' could be any of"):
        ImageFinder(root).find('list.txt', LINE, 'cy/1.bmp')
