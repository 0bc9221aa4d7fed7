"""Images of D_v that are trained on are found through all wrappers of data sets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.small_data import Labelled
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from mmpretrain.datasets import KFoldDataset
from torch.utils.data import ConcatDataset as TorchConcatDataset
from torch.utils.data import Subset

from amlfs_mm.datasets import InMemoryImages
from amlfs_mm.engine.checks import check_held_out


def images(*numbers: int, folder: str = 'images') -> Labelled:
    paths = [f'{folder}/{number}.png' for number in numbers]
    return Labelled([number % 2 for number in numbers], paths)


def config_of(*numbers: int) -> dict:
    paths = [f'images/{number}.png' for number in numbers]
    return dict(type='Labelled', labels=[0] * len(numbers), paths=paths)


class Wrapper:
    """Another package's wrapper, which tells nothing but its parts."""

    def __init__(self, dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)


TRAINED = {
    'repeated': RepeatDataset(images(0, 1, 2, 3), times=3),
    'put together': ConcatDataset([images(7, 8), images(3, 2)]),
    'without paths first': ConcatDataset([Labelled(3), images(3, 2)]),
    'balanced': ClassBalancedDataset(images(0, 1, 2, 3), oversample_thr=0.9),
    'put together by torch': TorchConcatDataset([images(7, 8), images(3)]),
    'a part of one': Subset(images(0, 1, 2, 3), [0, 3]),
    'a part of several': Subset(ConcatDataset([images(7), images(2, 3)]), [0, 2]),
    'in memory': InMemoryImages(images(0, 1, 2, 3), padding=0),
    'wrapped twice': RepeatDataset.__new__(RepeatDataset),
    'wrapped by others': Wrapper(images(3, 4)),
    'a fold': KFoldDataset(config_of(0, 1, 2, 3), fold=0, num_splits=2),
}
TRAINED['wrapped twice'].__dict__.update(
    dataset=ConcatDataset([images(7), images(3)]), times=2, _fully_initialized=True, _ori_len=2
)


@pytest.mark.parametrize('how', TRAINED)
def test_an_image_of_d_v_is_trained_on(how: str):
    with pytest.raises(ValueError, match=r'1 of the 3 images.*3\.png'):
        check_held_out(TRAINED[how], images(3, 11, 12))
    check_held_out(TRAINED[how], images(11, 12))


def test_wrapped_d_v():
    validation = ConcatDataset([images(11), images(2)])
    with pytest.raises(ValueError, match=r'1 of the 2 images.*2\.png'):
        check_held_out(images(0, 1, 2), validation)


def test_a_part_that_is_left_out_is_not_trained_on():
    source = images(0, 1, 2, 3)
    check_held_out(Subset(source, [0, 1]), Subset(source, [2, 3]))
    with pytest.raises(ValueError, match='1 of the 2 images'):
        check_held_out(Subset(source, [0, 2]), Subset(source, [2, 3]))


def test_one_file_under_several_names(monkeypatch):
    monkeypatch.setenv('HOME', os.getcwd())
    for folder in ('./images', 'other/../images', '~/images', str(Path.cwd() / 'images')):
        with pytest.raises(ValueError, match='1 of the 1 images'):
            check_held_out(images(3, folder=folder), images(3))


def test_images_in_memory():
    """Compared by their pixels: one that two data sets share is no error, most of them are."""
    data = Labelled(40)
    with pytest.raises(ValueError, match=r'40 of the 40 images .* no files'):
        check_held_out(data, Labelled(40))
    other = Labelled(40)
    for info in (infos := [other.get_data_info(i) for i in range(40)])[1:]:
        info['img'] = 255 - info['img']
    monkey = type('Listed', (), dict(__len__=lambda s: 40, get_data_info=lambda s, i: infos[i]))
    check_held_out(data, monkey())
