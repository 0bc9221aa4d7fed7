"""mmpretrain's SwitchRecipeHook in a search: the images go through the pipeline that it sets."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.runs import TINY_SEARCH, build
from mmengine.config import Config
from mmengine.hooks import Hook

from amlfs_mm.datasets.loading.whole_batches import WholeBatchLoader

ENLARGED = [dict(type='Resize', scale=(16, 16)), dict(type='PackInputs')]


class Sizes(Hook):
    """The size of the images in each epoch of each candidate."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if batch_idx == 0:
            self.seen.append((runner.epoch + 1, data_batch['inputs'][0].shape[-1]))


def switch(epoch: int) -> dict:
    schedule = [dict(action_epoch=epoch, train_pipeline=ENLARGED)]
    return dict(type='mmpretrain.SwitchRecipeHook', schedule=schedule)


def search(epoch: int, **options) -> dict:
    """Changes of the tiny search."""
    hook = dict(type='amlfs_mm.LossSearchHook', num_candidates=2, **options)
    return {'custom_hooks': [switch(epoch), hook], 'train_cfg.max_epochs': 2}


@pytest.mark.parametrize('runner_type', ['amlfs_mm.LossSearchRunner', 'Runner'])
@pytest.mark.parametrize('gib', [0, 2])
def test_every_candidate_trains_on_images_of_the_new_pipeline(
    tmp_path: Path, runner_type: str, gib: int
):
    runner = build(tmp_path, runner_type, in_memory_gib=gib, **search(epoch=2))
    sizes = Sizes()
    runner.register_hook(sizes)
    runner.train()
    assert sizes.seen == [(1, 8), (1, 8), (2, 16), (2, 16)]
    (log,) = tmp_path.glob('*/*.log')
    reason = 'Images are loaded one by one: images in memory have gone through one pipeline'
    assert log.read_text().count(reason) == (gib > 0)
    if runner_type != 'Runner':  # D_v has one pipeline
        assert isinstance(runner.val_dataloader, WholeBatchLoader) == (gib > 0)


def test_a_training_without_a_search(tmp_path: Path):
    runner = build(tmp_path, custom_hooks=[switch(2)], **{'train_cfg.max_epochs': 2})
    sizes = Sizes()
    runner.register_hook(sizes)
    runner.train()
    assert sizes.seen == [(1, 8), (2, 16)]


@pytest.mark.parametrize('wrapped', [False, True])
def test_images_that_have_gone_through_their_only_pipeline(tmp_path: Path, wrapped: bool):
    images = Config.fromfile(TINY_SEARCH).train_dataloader.dataset
    images['pipeline'] = [dict(type='PackInputs')]
    dataset = dict(type='amlfs_mm.InMemoryImages', dataset=images)
    if wrapped:
        dataset = dict(type='RepeatDataset', dataset=dataset, times=2)
    runner = build(
        tmp_path, **search(2), **{'train_dataloader.dataset': dict(dataset, _delete_=True)}
    )
    with pytest.raises(ValueError, match=r'another pipeline at epoch 2, but .*InMemoryImages'):
        runner.train()


@pytest.mark.parametrize(
    ('options', 'epoch', 'starts'),
    [
        (dict(search_every=2), 2, r'\[1, 3\]'),
        (dict(search_every=2, warmup_epochs=1), 3, r'\[1, 2, 4\]'),
    ],
)
def test_a_switch_within_a_round(tmp_path: Path, options: dict, epoch: int, starts: str):
    """The second candidate would start the round with the pipeline of its second epoch."""
    runner = build(tmp_path, **search(epoch, **options) | {'train_cfg.max_epochs': 4})
    with pytest.raises(ValueError, match=rf'at epoch {epoch}, within a round.*{starts} \.\.\.'):
        runner.train()
