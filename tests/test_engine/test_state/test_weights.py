"""A test or a resume insists on the model's own checkpoint; fine-tuning says what it took."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from helpers.runs import TINY_SEARCH, load, run
from helpers.small_data import SOFTMAX, runner_on
from mmengine.runner import Runner

from amlfs_mm.engine.state.weights import check_pretrained, compare_weights, load_weights

LINEAR = dict(type='LinearClsHead', num_classes=10, in_channels=16, topk=(1,), _delete_=True)


def edited(checkpoint: Path, target: Path, **weights) -> Path:
    """A copy of a checkpoint with weights changed, or removed where None."""
    content = load(checkpoint)
    for name, value in weights.items():
        if value is None:
            del content['state_dict'][name]
        else:
            content['state_dict'][name] = value
    torch.save(content, target)
    return target


def log_of(runner: Runner) -> str:
    return Path(runner.log_dir, f'{runner.timestamp}.log').read_text()


def test_a_test_of_another_model(tiny_run: Path, tmp_path: Path):
    """With tools/test.py, and no key that fits: it was a score of random weights."""
    torch.save(dict(state_dict={'layer.weight': torch.zeros(3)}), tmp_path / 'other.pth')
    command = [sys.executable, 'tools/test.py', TINY_SEARCH, tmp_path / 'other.pth']
    done = run([*command, '--out', tmp_path / 'test.json', f'--work-dir={tmp_path}/work'])
    assert done.returncode != 0
    assert 'other.pth is the checkpoint of another model: 0 of the' in done.stdout
    assert '1 not in the model (layer.weight)' in done.stdout
    assert not (tmp_path / 'test.json').exists()


@pytest.mark.parametrize('resume', [False, True])
@pytest.mark.parametrize(
    ('weights', 'messages'),
    [
        ({'head.fc.weight': torch.zeros(7, 16)}, ['head.fc.weight (7, 16) instead of (10, 16)']),
        ({'head.fc.weight': None}, ['1 not in the checkpoint (head.fc.weight)']),
        ({'head.fc.bias': torch.zeros(10)}, ['1 not in the model (head.fc.bias)']),
    ],
)
def test_one_difference_is_enough(
    tiny_run: Path, tmp_path: Path, weights: dict, messages: list, resume: bool
):
    path = edited(tiny_run / 'epoch_1.pth', tmp_path / 'other.pth', **weights)
    runner = runner_on(tmp_path, search=True, load_from=str(path), resume=resume)
    with pytest.raises(ValueError, match=r'other\.pth is the checkpoint of another') as error:
        runner.train() if resume else runner.test()
    for message in messages:
        assert message in str(error.value)


def test_theta_does_not_matter_to_a_test(tiny_run: Path, tmp_path: Path):
    """A search's checkpoint with the baseline's config, and the other way round."""
    found = tiny_run / 'epoch_3.pth'
    searched = runner_on(tmp_path, search=True, load_from=str(found)).test()
    plain = runner_on(tmp_path, load_from=str(found))
    assert plain.test() == searched
    assert 'Only the checkpoint has a theta' in log_of(plain)
    without = edited(found, tmp_path / 'plain.pth', **{'head.theta': None})
    assert runner_on(tmp_path, search=True, load_from=str(without)).test() == searched


@pytest.mark.parametrize('form', ['DDP', 'weights alone', 'no batch counts'])
def test_other_forms_of_the_same_checkpoint(tiny_run: Path, tmp_path: Path, form: str):
    weights = load(tiny_run / 'epoch_3.pth')['state_dict']
    if form == 'DDP':
        content = dict(state_dict={f'module.{name}': value for name, value in weights.items()})
    elif form == 'weights alone':
        content = dict(weights)
    else:
        names = [name for name in weights if 'num_batches_tracked' not in name]
        content = dict(state_dict={name: weights[name] for name in names})
    torch.save(content, tmp_path / 'form.pth')
    runner = runner_on(tmp_path, search=True, load_from=str(tmp_path / 'form.pth'))
    expected = runner_on(tmp_path, search=True, load_from=str(tiny_run / 'epoch_3.pth')).test()
    assert runner.test() == expected


def test_fine_tuning_says_what_it_took(tiny_run: Path, tmp_path: Path):
    runner = runner_on(
        tmp_path, load_from=str(tiny_run / 'epoch_3.pth'), model=dict(head=dict(LINEAR))
    )
    runner.load_or_resume()
    log = log_of(runner)
    assert 'tensors of the model fit; 1 not in the checkpoint (head.fc.bias)' in log
    own = runner.model.state_dict()
    saved = load(tiny_run / 'epoch_3.pth')['state_dict']
    assert torch.equal(own['head.fc.weight'].cpu(), saved['head.fc.weight'])


def test_fine_tuning_from_nothing(tmp_path: Path):
    torch.save({'conv1.weight': torch.zeros(3)}, tmp_path / 'resnet.pth')
    runner = runner_on(tmp_path, load_from=str(tmp_path / 'resnet.pth'))
    with pytest.raises(ValueError, match='fits no tensor of the model') as error:
        runner.load_or_resume()
    assert "model.backbone.init_cfg=dict(type='Pretrained'" in str(error.value)


def test_resume_from_a_model_alone(tiny_run: Path, tmp_path: Path):
    """The best-ever model has no optimizer; schedules would begin again."""
    (best,) = tiny_run.glob('best_reward_epoch_*.pth')
    runner = runner_on(tmp_path, search=True, load_from=str(best), resume=True)
    with pytest.raises(ValueError, match=r'without the state of its training \(no optimizer\)'):
        runner.train()


def test_resume_a_search_as_a_baseline(tiny_run: Path, tmp_path: Path):
    path = str(tiny_run / 'epoch_1.pth')
    with pytest.raises(ValueError, match='the checkpoint has a head with theta'):
        runner_on(tmp_path, load_from=path, resume=True).train()


def test_resume_with_another_policy(tiny_run: Path, tmp_path: Path):
    hooks = [dict(type='amlfs_mm.LossSearchHook', policy=dict(type='amlfs_mm.CMAESPolicy'))]
    path = str(tiny_run / 'epoch_1.pth')
    runner = runner_on(tmp_path, search=True, load_from=path, resume=True, custom_hooks=hooks)
    with pytest.raises(ValueError, match='the policy in the checkpoint to resume has the state'):
        runner.train()


def test_resume_what_another_version_wrote(tiny_run: Path, tmp_path: Path):
    content = load(tiny_run / 'epoch_1.pth')
    del content['loss_search']['gradients']
    torch.save(content, tmp_path / 'old.pth')
    runner = runner_on(tmp_path, search=True, load_from=str(tmp_path / 'old.pth'), resume=True)
    with pytest.raises(ValueError, match='has no gradients: another version'):
        runner.train()


@pytest.mark.parametrize('search', [False, True])
def test_what_is_no_checkpoint_is_named(tiny_run: Path, tmp_path: Path, search: bool):
    (tmp_path / 'empty.pth').touch()
    (tmp_path / 'text.pth').write_text('a checkpoint')
    (tmp_path / 'folder').mkdir()
    torch.save(torch.zeros(3), tmp_path / 'tensor.pth')
    for path, message in (
        (tmp_path / 'folder', "folder' is a directory, not a checkpoint"),
        (tiny_run, r'is a directory.*such as .*epoch_3\.pth'),
        (tmp_path / 'empty.pth', r'empty\.pth is damaged, it is empty'),
        (tmp_path / 'text.pth', r'text\.pth is (damaged|refused)'),
        (tmp_path / 'tensor.pth', r'tensor\.pth is no checkpoint: it holds a Tensor'),
        (tmp_path / 'none.pth', r"there is no checkpoint '.*none\.pth'"),
    ):
        for resume in (False, True):
            runner = runner_on(tmp_path, search=search, load_from=str(path), resume=resume)
            with pytest.raises((ValueError, FileNotFoundError), match=message):
                runner.load_or_resume()


def test_a_home_directory(tiny_run: Path, tmp_path: Path, monkeypatch):
    """``~`` in the config, as ``--cfg-options load_from=~/x`` leaves it."""
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'start.pth').write_bytes((tiny_run / 'epoch_3.pth').read_bytes())
    runner = runner_on(Path('~/work'), search=True, load_from='~/start.pth')
    assert runner.work_dir == f'{tmp_path}/work'
    runner.load_or_resume()
    assert 'all' in log_of(runner)
    assert not Path('~').exists()


def test_loading_without_a_runner(tiny_run: Path, tmp_path: Path):
    model = runner_on(tmp_path, model=dict(head=dict(SOFTMAX))).model
    load_weights(model, tiny_run / 'epoch_3.pth')
    saved = load(tiny_run / 'epoch_3.pth')['state_dict']
    assert compare_weights(model, dict(state_dict=saved)).is_exact
    for name, value in model.state_dict().items():
        assert torch.equal(value.cpu(), saved[name]), name


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (dict(), r"fits no tensor of it: 0 of the .*Set prefix='backbone\.' in init_cfg"),
        (dict(prefix='neck.'), r"prefix='neck\.', fits no tensor .*Set prefix='backbone\.'"),
        (dict(checkpoint='gone.pth'), 'there is no checkpoint .*init_cfg of .backbone. names'),
    ],
)
def test_pretrained_weights_of_nothing(tiny_run: Path, tmp_path: Path, options: dict, says: str):
    """MMEngine alone trains on with random weights."""
    given = dict(type='Pretrained', checkpoint=str(tiny_run / 'epoch_3.pth')) | options
    runner = runner_on(tmp_path, model=dict(backbone=dict(init_cfg=given)))
    with pytest.raises((ValueError, FileNotFoundError), match=says):
        runner.train()


def test_pretrained_weights_of_a_backbone(tiny_run: Path, tmp_path: Path):
    checkpoint = str(tiny_run / 'epoch_3.pth')
    given = dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone.')
    runner = runner_on(tmp_path, model=dict(backbone=dict(init_cfg=given)))
    check_pretrained(runner.model)
    runner.model.init_weights()
    name = 'backbone.conv1.weight'
    torch.testing.assert_close(
        runner.model.state_dict()[name], load(tiny_run / 'epoch_3.pth')['state_dict'][name]
    )
