"""What a data set tells about its samples without loading them."""

from __future__ import annotations

import pytest
from helpers.small_data import Labelled
from mmengine.dataset import ConcatDataset
from torch.utils.data import Subset

from amlfs_mm.engine.checks.annotations import count_scored


class Roles(Labelled):
    """A search among images: some are queries, the others are the gallery."""

    roles = ('query', 'gallery', 'gallery', 'query', 'gallery')

    def get_data_info(self, index: int) -> dict:
        return super().get_data_info(index) | dict(role=self.roles[index])


@pytest.fixture
def roles() -> Roles:
    return Roles([0, 0, 1, 1, 1], [f'{number}.png' for number in range(5)])


def test_a_gallery_is_not_scored(roles: Roles):
    assert count_scored(roles) == 2
    assert count_scored(Subset(roles, [0, 1])) == 1
    assert count_scored(ConcatDataset([roles, roles])) == 4


def test_samples_without_a_role_are_all_scored():
    assert count_scored(Labelled([0, 1, 0], [f'{number}.png' for number in range(3)])) == 3
    assert count_scored([1, 2, 3]) == 3
