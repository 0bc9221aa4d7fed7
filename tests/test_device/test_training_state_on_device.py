"""A training state on a device: captured, restored, and sent to another process."""

from __future__ import annotations

import os
from pathlib import Path

import torch
import torch.distributed as dist
from helpers.epochs import epoch, start
from helpers.jobs import CONTEXT
from helpers.runs import assert_equal, free_port
from helpers.standin_device import NAME, counted, install, model_device

from amlfs_mm.engine import Population, TrainingState
from amlfs_mm.engine.state.broadcast import broadcast_state
from amlfs_mm.utils.randomness import random_state, set_random_state

install()
# AdamW keeps its count of steps on the CPU. Of 4 iterations 3 make an update: a gradient waits.
OPTIMIZER = dict(type='AdamW', lr=1e-3)
WRAPPER = dict(type='OptimWrapper', accumulative_counts=3, optimizer=OPTIMIZER)
IMAGES = {'train_dataloader.dataset.indices': 64}


def test_restored_is_as_captured(tmp_path: Path) -> None:
    with model_device():
        runner = start(tmp_path, optim_wrapper=WRAPPER, **IMAGES)
        epoch(runner, 1)
        with counted() as traffic:
            on_device = TrainingState.capture(runner)
        on_host = TrainingState.capture(runner, on_host=True)
        assert not traffic.waits + traffic.to_device, traffic  # no number leaves the device
        second = epoch(runner, 2)
        for state, place in ((on_device, NAME), (on_host, 'cpu')):
            assert {k: t.device.type for (k, _), t in state.flat.items()} == {
                NAME: place,
                'cpu': 'cpu',
            }
            with counted() as traffic:
                state.restore(runner)
            assert not traffic.read_backs + traffic.to_host, traffic
            assert state is on_host or not traffic.to_device, traffic
            assert_equal(epoch(runner, 2), second, f'second epoch again, from {place}')
    assert all(t.device.type == NAME for t in (*second['model'].values(), *second['gradients']))


def test_random_numbers_go_on_where_they_were() -> None:
    with model_device() as device:
        state = random_state()
        first = torch.rand(3, device=device)
        set_random_state(state)
        assert torch.equal(torch.rand(3, device=device), first)
        assert state['cuda'] is not None
    assert torch.cuda.is_available() or random_state()['cuda'] is None


DTYPES = [torch.float32, torch.bfloat16, torch.int64, torch.bool]


def state_of(rank: int) -> TrainingState:
    """A model's tensors and an optimizer's, on the device; a count of steps on the CPU."""
    numbers = torch.arange(6 + rank)
    nested = dict(model=[(numbers % (2 + rank)).to(NAME, t) for t in DTYPES], lr=0.1 * rank)
    return TrainingState.pack(nested | dict(step=torch.tensor(float(rank))))


def send_and_receive(rank: int, port: int, out: Path) -> None:
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    install()
    with model_device():
        dist.init_process_group('gloo', rank=rank, world_size=2)
        population = Population.split_world()
        with counted() as traffic:
            state = broadcast_state(population, state_of(rank) if rank else None, source=1)
        crossed = dict(to_host=traffic.to_host.total(), to_device=traffic.to_device.total())
        content = state.unpack()
        devices = [str(tensor.device) for tensor in content['model']]
        content['model'] = [tensor.cpu() for tensor in content['model']]
        torch.save(dict(content=content, devices=devices, crossed=crossed), out / f'{rank}.pth')
        dist.destroy_process_group()


def test_a_state_is_handed_over_between_two_processes(tmp_path: Path) -> None:
    port = free_port()
    ranks = [CONTEXT.Process(target=send_and_receive, args=(r, port, tmp_path)) for r in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(120)
        process.kill()
    wanted = state_of(1).unpack()
    wanted['model'] = [tensor.cpu() for tensor in wanted['model']]
    received, sent = (torch.load(tmp_path / f'{rank}.pth') for rank in (0, 1))
    assert received['devices'] == sent['devices'] == [f'{NAME}:0'] * len(DTYPES)
    assert_equal(received['content'], wanted, 'received')
    assert_equal(sent['content'], wanted, 'sent')
    # One message for each dtype, whatever the number of tensors.
    assert sent['crossed']['to_host'] == received['crossed']['to_device'] == len(DTYPES)
