"""What only a real GPU can show. Skipped without one; ``tools/run_tests.sh --gpu`` runs these."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mmengine.device.utils as mmengine_device
import numpy as np
import pytest
import torch
import torch.distributed as dist
from helpers.device_models import MODELS_OF_TEST, build, train_two_steps
from helpers.epochs import epoch, start
from helpers.jobs import CONTEXT
from helpers.runs import ROOT, TINY_SEARCH, assert_equal, free_port, load, run
from helpers.runs import build as build_runner
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, DefaultScope
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.engine import Population, TrainingState
from amlfs_mm.engine.distributed.launch import init_distributed
from amlfs_mm.utils.devices import this_device
from amlfs_mm.utils.randomness import random_state, set_random_state

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no CUDA GPU'),
]
GPU = torch.device('cuda', 0)
LOG_INTERVAL = 3
EPOCHS = 3
# A candidate's reward is the share of 100 images. Rounding decides some of them.
SAME_REWARD, SAME_MEAN = 5.0, 8.0
# A sampled head draws its classes with the device's generator.
COMPARED = [name for name in MODELS_OF_TEST if name != 'AM-LFS, sharded and sampled']


@pytest.fixture(autouse=True)
def _exact_float32(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Convolutions as exact as the CPU's; no wait is an error once a test is over."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    monkeypatch.setattr(torch.backends.cudnn, 'deterministic', True)
    yield
    torch.cuda.set_sync_debug_mode('default')


@contextmanager
def no_wait() -> Iterator[None]:
    """The host may launch work on the GPU, but not wait for it."""
    torch.cuda.set_sync_debug_mode('error')
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode('default')


def test_a_wait_is_found() -> None:
    number = torch.ones((), device=GPU)
    with no_wait(), pytest.raises(RuntimeError, match='synchroniz'):
        number.item()


# Models -------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', MODELS_OF_TEST)
def test_a_training_step_does_not_wait(name: str) -> None:
    told = train_two_steps(build(name).to(GPU), GPU, no_wait)
    assert all(torch.isfinite(value).all() for value in told.values())
    assert all(value.device == GPU for value in told.values())


@pytest.mark.parametrize('name', COMPARED)
def test_training_gives_the_cpus_numbers_but_for_rounding(name: str) -> None:
    model = build(name)
    ours = train_two_steps(copy.deepcopy(model).to(GPU), GPU)
    theirs = train_two_steps(model, torch.device('cpu'))
    assert list(ours) == list(theirs)
    for key, value in ours.items():
        if value.is_floating_point():
            torch.testing.assert_close(
                value.cpu(), theirs[key], rtol=1e-2, atol=1e-3, msg=lambda m, k=key: f'{k}: {m}'
            )


# Searches -----------------------------------------------------------------------------------------


class NoWaitBetweenLogs(Hook):
    """Makes a wait in a training iteration without a log line an error."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.iterations = 0

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        logs = (batch_idx + 1) % LOG_INTERVAL == 0
        torch.cuda.set_sync_debug_mode('default' if logs else 'error')
        self.iterations += not logs

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        last = batch_idx + 1 == len(runner.train_dataloader)
        torch.cuda.set_sync_debug_mode('default' if last else 'error')  # to fetch the next batch


def search(work_dir: Path, *hooks: Hook, **options) -> list[dict]:
    """The records of a tiny search in this process."""
    runner = build_runner(work_dir, **{'default_hooks.logger.interval': LOG_INTERVAL}, **options)
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return read_records(work_dir / 'loss_search.jsonl')


@pytest.fixture(scope='module')
def of_cpu(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmengine_device, 'DEVICE', 'cpu')
        return search(tmp_path_factory.mktemp('cpu'))


def check_search(records: list[dict], wanted: list[dict]) -> None:
    """It found candidates, and rewarded them, as another search did, but for rounding."""
    assert len(records) == len(wanted) == EPOCHS
    rewards, wanted_rewards = (
        np.array([r['reward'] for r in run], float) for run in (records, wanted)
    )
    assert np.isfinite(rewards).all()
    # The first round starts from the same weights, with the same losses and images.
    assert records[0]['theta'] == wanted[0]['theta']
    assert abs(rewards[0] - wanted_rewards[0]).max() <= SAME_REWARD
    # After it rounding may have made another candidate the winner.
    assert abs(rewards.mean() - wanted_rewards.mean()) <= SAME_MEAN


def test_a_search_is_that_of_the_cpu_but_for_rounding(tmp_path: Path, of_cpu: list) -> None:
    watch = NoWaitBetweenLogs()
    assert this_device() == GPU
    check_search(search(tmp_path, watch), of_cpu)
    assert watch.iterations == EPOCHS * 4 * 4  # of 6 iterations a candidate
    weights = load(tmp_path / f'epoch_{EPOCHS}.pth')['state_dict']
    assert all(value.isfinite().all() for value in weights.values())


def in_memory_images(device: str) -> dict:
    """The tiny search's images as :class:`InMemoryImages`, with other augmentation."""
    images = dict(Config.fromfile(TINY_SEARCH).train_dataloader.dataset)
    images['pipeline'] = [step for step in images['pipeline'] if step['type'] != 'RandomCrop']
    return dict(
        type='amlfs_mm.InMemoryImages', dataset=images, padding=1, flip_prob=0.5, device=device
    )


def test_a_search_of_images_on_the_gpu(tmp_path: Path) -> None:
    def run_with(device: str, *hooks: Hook) -> list[dict]:
        dataset = dict(in_memory_images(device), _delete_=True)
        return search(tmp_path / device, *hooks, **{'train_dataloader.dataset': dataset})

    watch = NoWaitBetweenLogs()
    check_search(run_with('cuda', watch), run_with('cpu'))
    assert watch.iterations == EPOCHS * 4 * 4


def copies_of(function) -> list[str]:
    """The copies between host and GPU while a function runs."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        function()
        torch.cuda.synchronize()
    names = [event.name for event in profiler.events()]
    return [name for name in names if 'HtoD' in name or 'DtoH' in name]


def test_a_batch_of_images_on_the_gpu_is_made_there() -> None:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        there, here = (DATASETS.build(in_memory_images(device)) for device in ('cuda', 'cpu'))
    order = [(list(range(n, n + 16)), np.arange(16) * 10**8 + n) for n in (5, 0, 64)]
    batches = there.batches(order)
    made = [next(batches)]  # all indices and seeds go to the GPU here
    if not copies_of(made[0]['inputs'].cpu):
        pytest.skip('the profiler may not look at this GPU')
    assert copies_of(lambda: made.extend(batches)) == []
    for ours, theirs in zip(made, here.batches(order), strict=True):
        assert ours['inputs'].device == ours['data_samples'].labels.device == GPU
        assert_equal(ours['inputs'].cpu(), theirs['inputs'], 'images')
        assert_equal(ours['data_samples'].labels.cpu(), theirs['data_samples'].labels, 'labels')


@pytest.mark.parametrize(
    'wrapper',
    [
        dict(type='AmpOptimWrapper', loss_scale='dynamic'),
        dict(type='AmpOptimWrapper', dtype='bfloat16', loss_scale='dynamic'),
        dict(type='amlfs_mm.BFloat16OptimWrapper'),
    ],
    ids=['float16', 'bfloat16 by mmengine', 'bfloat16'],
)
def test_mixed_precision_is_within_noise_of_float32(
    wrapper: dict, tmp_path: Path, of_cpu: list
) -> None:
    records = search(tmp_path, **{f'optim_wrapper.{key}': value for key, value in wrapper.items()})
    rewards, wanted = (np.array([r['reward'] for r in run], float) for run in (records, of_cpu))
    assert np.isfinite(rewards).all()
    assert abs(rewards.mean() - wanted.mean()) <= SAME_MEAN
    weights = load(tmp_path / f'epoch_{EPOCHS}.pth')['state_dict']
    assert all(v.isfinite().all() and v.dtype.itemsize != 2 for v in weights.values())


# Processes ----------------------------------------------------------------------------------------


def train_by_launcher(work_dir: Path, processes: int, *options: str) -> str:
    """What a job of processes that share one GPU prints."""
    command = ['bash', 'tools/dist_train.sh', TINY_SEARCH, processes, '--work-dir', work_dir]
    gpu = os.environ.get('CUDA_VISIBLE_DEVICES', '0').split(',')[0]
    done = run([*command, *options], PORT=str(free_port()), CUDA_VISIBLE_DEVICES=gpu)
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def test_one_process_of_a_launcher(tmp_path: Path, of_cpu: list) -> None:
    text = train_by_launcher(tmp_path, 1, '--amp')
    assert 'rank 0 on' in text
    assert 'cuda:0' in text
    rewards = np.array([r['reward'] for r in read_records(tmp_path / 'loss_search.jsonl')], float)
    wanted = np.array([r['reward'] for r in of_cpu], float)
    assert rewards.shape == wanted.shape
    assert np.isfinite(rewards).all()
    assert abs(rewards.mean() - wanted.mean()) <= SAME_MEAN


def test_four_sub_runners_on_one_gpu(tmp_path: Path, of_cpu: list) -> None:
    text = train_by_launcher(tmp_path, 4)
    assert 'between sub-runners: gloo: sub-runners share GPUs, which NCCL does not allow' in text
    for rank in range(4):
        assert f'sub-runner {rank}: rank {rank} on' in text
    check_search(read_records(tmp_path / 'loss_search.jsonl'), of_cpu)


def alone_with_nccl(port: int, out: Path) -> None:
    os.environ.update(
        RANK='0', LOCAL_RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port)
    )
    os.chdir(ROOT)
    init_distributed('pytorch', timeout=60)
    population = Population.split_world()
    numbers = torch.arange(3.0, device=this_device())
    dist.all_reduce(numbers)
    told = dict(
        backend=dist.get_backend(),
        wire=population.wire_device().type,
        numbers=numbers.tolist(),
        rewards=population.exchange_rewards({0: 0.5}, 1).tolist(),
    )
    torch.save(told, out)
    dist.destroy_process_group()


def test_nccl_with_one_process(tmp_path: Path) -> None:
    out = tmp_path / 'told.pth'
    process = CONTEXT.Process(target=alone_with_nccl, args=(free_port(), out))
    process.start()
    process.join(120)
    process.kill()
    told = dict(backend='nccl', wire='cuda', numbers=[0.0, 1.0, 2.0], rewards=[0.5])
    assert torch.load(out) == told


# State --------------------------------------------------------------------------------------------


@pytest.mark.parametrize('on_host', [False, True], ids=['on the GPU', 'in host memory'])
def test_a_state_is_captured_and_restored(tmp_path: Path, on_host: bool) -> None:
    optimizer = dict(type='AdamW', lr=1e-3)
    wrapper = dict(type='OptimWrapper', accumulative_counts=4, optimizer=optimizer)
    runner = start(tmp_path, optim_wrapper=wrapper)
    epoch(runner, 1)
    state = TrainingState.capture(runner, on_host)
    flat = {key: tensor.clone() for key, tensor in state.flat.items()}
    assert {
        tensor.device.type for (device, _), tensor in state.flat.items() if device == 'cuda'
    } == {'cpu' if on_host else 'cuda'}
    if on_host:
        assert all(tensor.is_pinned() for (d, _), tensor in state.flat.items() if d == 'cuda')
    epoch(runner, 2)
    state.restore(runner)
    again = TrainingState.capture(runner, on_host)
    assert list(again.flat) == list(flat)
    for key, tensor in again.flat.items():
        assert torch.equal(tensor, flat[key]), key


def test_random_numbers_go_on_where_they_were() -> None:
    def drawn() -> list[Tensor]:
        return [torch.rand(3, device=GPU), torch.rand(3)]

    torch.rand(1, device=GPU)
    state = random_state()
    first = drawn()
    set_random_state(state)
    assert_equal([tensor.cpu() for tensor in drawn()], [t.cpu() for t in first], 'drawn')
