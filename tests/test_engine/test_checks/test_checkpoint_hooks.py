"""Checkpoints that a search could not be resumed from are refused; others are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.runs import load
from helpers.small_data import runner_on

SHORT = dict(train_cfg=dict(max_epochs=1), train_dataloader=dict(dataset=dict(indices=32)))


@pytest.mark.parametrize(
    ('options', 'messages'),
    [
        (dict(by_epoch=False), ['by_epoch=False', 'in the middle of']),
        (dict(interval=-1), ['interval=-1', 'cannot be resumed', 'set it to 1']),
        (dict(interval=2, save_last=False), ['save_last=False with interval=2', 'of 3 epochs']),
        (dict(max_keep_ckpts=1), ['max_keep_ckpts=1']),
        (dict(out_dir='/tmp/elsewhere'), ["out_dir='/tmp/elsewhere'", '--resume', 'set work_dir']),
        (dict(filename_tmpl='model_{}.pth'), ['model_{}.pth', 'epoch_<n>.pth']),
        (dict(save_optimizer=False), ['save_optimizer=False', 'leave both True']),
        (dict(save_param_scheduler=False), ['save_param_scheduler=False']),
    ],
)
def test_a_search_that_could_not_be_resumed(tmp_path: Path, options: dict, messages: list[str]):
    with pytest.raises(ValueError, match=r'^default_hooks\.checkpoint\.') as error:
        runner_on(tmp_path, search=True, default_hooks=dict(checkpoint=options)).train()
    for message in messages:
        assert message in str(error.value)
    assert not list(tmp_path.glob('*.pth'))


def test_the_last_epoch_is_saved_by_its_interval(tmp_path: Path):
    options = dict(interval=1, save_last=False)
    runner_on(tmp_path, search=True, default_hooks=dict(checkpoint=options), **SHORT).train()
    assert load(tmp_path / 'epoch_1.pth')['meta']['epoch'] == 1


@pytest.mark.parametrize(
    'options', [dict(out_dir='{tmp}/kept'), dict(filename_tmpl='model_{}.pth')]
)
def test_resume_finds_checkpoints_kept_elsewhere(tmp_path: Path, options: dict):
    """Of a plain run. It used to start anew where they are in another folder."""
    work = tmp_path / 'work'
    options = {key: value.format('{}', tmp=tmp_path) for key, value in options.items()}
    hooks = dict(default_hooks=dict(checkpoint=options))
    runner_on(work, **hooks, **SHORT).train()
    resumed = runner_on(work, resume=True, **hooks, **SHORT | dict(train_cfg=dict(max_epochs=2)))
    resumed.load_or_resume()
    assert (resumed.epoch, resumed.iter) == (1, 2)
    # Without what MMEngine notes in the work dir, the hook's own folder is looked at.
    if 'out_dir' in options:
        (work / 'last_checkpoint').unlink()
        again = runner_on(work, resume=True, **hooks, **SHORT)
        again.load_or_resume()
        assert again.epoch == 1


def test_resume_does_not_start_anew_over_a_search(tmp_path: Path):
    (tmp_path / 'loss_search.jsonl').write_text('{"epoch": 1}\n{"epoch": 2}\n')
    with pytest.raises(ValueError, match='a search of 2 epochs') as error:
        runner_on(tmp_path, search=True, resume=True, **SHORT).train()
    assert str(tmp_path) in str(error.value)
    assert '--work-dir' in str(error.value)


def test_resume_after_a_kill_before_the_first_checkpoint(tmp_path: Path):
    (tmp_path / 'loss_search.jsonl').write_text('{"epoch": 1}\n')
    runner = runner_on(tmp_path, search=True, resume=True, **SHORT)
    runner.load_or_resume()
    assert runner.epoch == 0


def test_resume_from_a_remote_store(tmp_path: Path):
    (tmp_path / 'last_checkpoint').write_text('s3://bucket/run/epoch_3.pth')
    runner = runner_on(tmp_path, resume=True, **SHORT)
    with pytest.raises(ValueError, match=r'--resume s3://bucket/run/epoch_3\.pth'):
        runner.load_or_resume()
