"""A student trained with a teacher: on both runners, resumed, and with impossible options."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import torch
from helpers.runs import TINY_SEARCH, assert_equal, load
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

HEAD = dict(type='amlfs_mm.L2TDLFHead', num_classes=10, in_channels=16, _delete_=True)
LSTM = dict(type='amlfs_mm.LSTMTeacher', hidden_size=4)
EPOCHS = 3


def teach(tmp_path: Path, runner_type: str = 'amlfs_mm.LossSearchRunner', **changes: Any) -> Runner:
    """A runner of the tiny digits task with a teacher; 6 iterations an epoch, windows of 4."""
    cfg = Config.fromfile(TINY_SEARCH)
    loop = dict(type='amlfs_mm.L2TDLFLoop', max_epochs=EPOCHS, window=4, _delete_=True)
    loop |= dict(teacher_optimizer=dict(type='Adam', lr=0.01))
    base = dict(runner_type=runner_type, custom_hooks=[], model=dict(head=HEAD), train_cfg=loop)
    for part in (base, changes):
        cfg = Config(Config._merge_a_into_b(deepcopy(part), cfg._cfg_dict))
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'{tmp_path.name}_{uuid4()}'  # mmengine keeps one logger a name
    return RUNNERS.build(cfg)


def assert_same_student(one: Path, other: Path) -> None:
    first, second = load(one / f'epoch_{EPOCHS}.pth'), load(other / f'epoch_{EPOCHS}.pth')
    for key in ('state_dict', 'optimizer', 'param_schedulers', 'l2t_dlf'):
        assert_equal(first[key], second[key], key)


@pytest.fixture(scope='module', autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums depend on it
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work_dir = tmp_path_factory.mktemp('taught')
    teach(work_dir).train()
    return work_dir


def test_the_teacher_learns_and_the_student_trains_with_its_losses(taught: Path):
    first, last = load(taught / 'epoch_1.pth'), load(taught / f'epoch_{EPOCHS}.pth')
    start = torch.eye(10, 11)
    for checkpoint in (first, last):
        memory = checkpoint['l2t_dlf']['teacher']['memory']
        phi = checkpoint['state_dict']['head.phi']
        assert (phi - start).abs().max() > 1e-3
        assert (memory.min(0).values - 0.02 <= phi).all()  # a mean of the memory a window ago
        assert (phi <= memory.max(0).values + 0.02).all()
    # 6 iterations an epoch are a window of 4 and one of 2.
    steps = last['l2t_dlf']['optimizer']['state'][0]['step']
    assert steps == 2 * EPOCHS
    assert 0 < last['l2t_dlf']['scores'][2] <= 1
    log = next(taught.rglob('scalars.json')).read_text()
    assert all(f'"{name}"' in log for name in ('dev_loss', 'dev_accuracy', 'teacher_gradient'))


def test_mmengines_runner_trains_the_same(taught: Path, tmp_path: Path):
    teach(tmp_path, 'Runner').train()
    assert_same_student(taught, tmp_path)


@pytest.mark.parametrize('epoch', [1, 2])
def test_a_resumed_run_is_the_same(taught: Path, tmp_path: Path, epoch: int):
    checkpoint = str(taught / f'epoch_{epoch}.pth')
    other = dict(seed=7)  # the checkpoint's is what counts
    teach(tmp_path, load_from=checkpoint, resume=True, randomness=other).train()
    assert_same_student(taught, tmp_path)


def test_mmengines_runner_resumes_a_teacher_that_remembers(tmp_path: Path):
    changes = dict(runner_type='Runner', train_cfg=dict(teacher=LSTM))
    teach(tmp_path / 'whole', **changes).train()
    checkpoint = str(tmp_path / 'whole' / 'epoch_2.pth')
    teach(tmp_path / 'again', **changes, load_from=checkpoint, resume=True).train()
    assert_same_student(tmp_path / 'whole', tmp_path / 'again')


def test_without_learning_the_loss_stays_and_training_is_plain(tmp_path: Path):
    """The recorded steps do not change the student: as with a teacher that learns nothing."""
    teach(tmp_path / 'fixed', train_cfg=dict(teacher_optimizer=None)).train()
    still = dict(teacher_optimizer=dict(type='SGD', lr=0.0, _delete_=True))
    teach(tmp_path / 'still', train_cfg=still).train()
    one, other = (load(tmp_path / name / f'epoch_{EPOCHS}.pth') for name in ('fixed', 'still'))
    assert_equal(one['state_dict'], other['state_dict'], 'state_dict')
    torch.testing.assert_close(one['state_dict']['head.phi'], torch.eye(10, 11))


def test_a_teacher_of_an_earlier_run(taught: Path, tmp_path: Path):
    source = taught / f'epoch_{EPOCHS}.pth'
    teach(tmp_path, train_cfg=dict(teacher_from=str(source), teacher_optimizer=None)).train()
    one, other = (load(path)['l2t_dlf'] for path in (source, tmp_path / f'epoch_{EPOCHS}.pth'))
    assert_equal(one['teacher'], other['teacher'], 'teacher')
    with pytest.raises(ValueError, match='has another teacher than the config, LSTMTeacher'):
        teach(tmp_path, train_cfg=dict(teacher_from=str(source), teacher=LSTM)).train()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(train_cfg=dict(window=0)), 'window must be a whole number >= 1, got 0'),
        (dict(train_cfg=dict(dev_loss='top1')), "expected_error or cross_entropy, got 'top1'"),
        (dict(train_cfg=dict(teacher='LSTM')), "teacher must be a config, .* got 'LSTM'"),
        (
            dict(train_cfg=dict(teacher_optimizer=dict(lr=1, _delete_=True))),
            'teacher_optimizer must be a config',
        ),
        (dict(model=dict(head=dict(type='amlfs_mm.AMLFSHead'))), 'its head is AMLFSHead'),
        (dict(optim_wrapper=dict(optimizer=dict(_delete_=True, type='Adam'))), 'with Adam: set'),
        (dict(optim_wrapper=dict(clip_grad=dict(max_norm=1))), 'remove optim_wrapper.clip_grad'),
        (dict(optim_wrapper=dict(accumulative_counts=2)), 'accumulative_counts'),
        (dict(val_dataloader=None, val_cfg=None, val_evaluator=None), r'held-out data \(D_v\)'),
        (dict(val_dataloader=dict(dataset=dict(split='train'))), 'also trained on'),
        (dict(custom_hooks=[dict(type='amlfs_mm.LossSearchHook')]), 'only one hook|needs Epoch'),
        (
            dict(default_hooks=dict(checkpoint=dict(by_epoch=False))),
            'would save candidates in the middle of their epoch',
        ),
    ],
)
def test_what_cannot_be_is_refused_before_training(tmp_path: Path, changes: dict, message: str):
    with pytest.raises(ValueError, match=message):
        teach(tmp_path, **changes).train()
    assert not list(tmp_path.glob('*.pth'))


def test_a_checkpoint_of_another_kind_of_run_is_not_resumed(taught: Path, tmp_path: Path):
    path = tmp_path / 'epoch_1.pth'
    checkpoint = load(taught / 'epoch_1.pth')
    state = checkpoint.pop('l2t_dlf')
    torch.save(checkpoint, path)
    with pytest.raises(ValueError, match='no L2TDLFLoop wrote it'):
        teach(tmp_path, load_from=str(path), resume=True).train()
    torch.save(checkpoint | dict(l2t_dlf=state), path)
    fixed = dict(teacher_optimizer=None)
    with pytest.raises(ValueError, match='one has teacher_optimizer=None'):
        teach(tmp_path, load_from=str(path), resume=True, train_cfg=fixed).train()


def test_a_student_that_diverges_stops_the_run(tmp_path: Path):
    steep = dict(optimizer=dict(lr=1e30))
    with pytest.raises(Exception, match=r'the student diverged|teacher is (nan|inf)'):
        teach(tmp_path, optim_wrapper=steep).train()
