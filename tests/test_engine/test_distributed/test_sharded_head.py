"""Class weights over 1, 2 and 4 gloo processes against the head that has them whole, under DDP."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from helpers.jobs import CONTEXT
from helpers.runs import free_port
from mmengine.optim import OptimWrapper
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.engine.distributed.sharded_weights import (
    clip_grad_norm,
    keep_out_of_ddp,
    keep_own_moments,
    own_rows,
    whole_weights,
)
from amlfs_mm.models import AMLFSHead, SoftmaxHead

CLASSES, CHANNELS, BATCH = 37, 8, 12  # not divisible by 2 or 4; the batch is of all replicas


def heads(sharded: bool) -> dict[str, nn.Module]:
    """Every kind of loss; the same classes' weights in each call."""
    made = {}
    for scale in (None, 30.0):
        for floor in ('relative', 'constant'):
            name = f'amlfs, scale {scale}, {floor}'
            made[name] = AMLFSHead(CLASSES, CHANNELS, scale=scale, tau_floor=floor, sharded=sharded)
            noise = torch.randn(24, generator=torch.Generator().manual_seed(5))
            made[name].set_theta(made[name].theta + 0.2 * noise)
    for name, options in {
        'softmax': dict(),
        'softmax, half': dict(loss=dict(type='CrossEntropyLoss', loss_weight=0.5)),
        'sphere softmax': dict(scale=14.0),
        'am_softmax': dict(scale=30.0, margin=0.35),
        'arcface': dict(scale=64.0, margin=dict(type='amlfs_mm.ArcFaceMargin')),
        'a_softmax': dict(scale='feature', margin=dict(type='amlfs_mm.ASoftmaxMargin', start=1.0)),
    }.items():
        made[name] = SoftmaxHead(CLASSES, CHANNELS, sharded=sharded, **options)
    weight = torch.randn(CLASSES, CHANNELS, generator=torch.Generator().manual_seed(1))
    for head in made.values():
        head.load_state_dict({**head.state_dict(), 'fc.weight': weight})
    return made


def batch(replica: int, replicas: int) -> tuple[Tensor, list[DataSample]]:
    """A replica's part of the batch: features (N, D), the first two of one class each."""
    generator = torch.Generator().manual_seed(2)
    features = 3 * torch.randn(BATCH, CHANNELS, generator=generator)
    target = torch.randint(CLASSES, (BATCH,), generator=generator)
    target[:2], target[-1] = 36, 0
    own = slice(replica * BATCH // replicas, (replica + 1) * BATCH // replicas)
    samples = [DataSample().set_gt_label(int(label)) for label in target[own]]
    return features[own].clone().requires_grad_(), samples


def result(head: nn.Module, replica: int, replicas: int) -> dict[str, Tensor]:
    features, samples = batch(replica, replicas)
    loss = head.loss((features,), samples)['loss']
    loss.backward()
    found = dict(loss=loss.detach(), feature=features.grad, weight=head.fc.weight.grad.clone())
    head.cal_acc = True
    found['accuracy'] = head.eval().loss((features,), samples)['accuracy_top-1']
    head.train().cal_acc = False
    if hasattr(head, 't_count'):
        found |= dict(t=head.t_count, tau=head.tau_count)
    return found


def save_and_load(head: nn.Module, path: Path) -> dict[str, Tensor]:
    """What a replica has before a checkpoint is written, and what it reads back from it."""
    wrapper = OptimWrapper(torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9))
    wrapper.optimizer.step()
    group = dist.new_group(backend='gloo') if dist.get_world_size() > 1 else None
    had = [head.fc.weight.data, head.fc.weight.grad]
    with whole_weights([head], [wrapper], group):
        if dist.get_rank() == 0:
            state = dict(model=head.state_dict(), optimizer=wrapper.state_dict())
            torch.save(dict(state, gradient=head.fc.weight.grad), path)
    assert head.fc.weight.data is not None
    before = [head.fc.weight.data, head.fc.weight.grad]
    assert all(torch.equal(a, b) for a, b in zip(had, before, strict=True))
    before.append(wrapper.optimizer.state[head.fc.weight]['momentum_buffer'])

    dist.barrier()
    saved = torch.load(path, weights_only=True)
    other = SoftmaxHead(CLASSES, CHANNELS, sharded=True)
    other.load_state_dict(saved['model'])
    wrapper = OptimWrapper(torch.optim.SGD(other.parameters(), lr=0.1, momentum=0.9))
    wrapper.load_state_dict(saved['optimizer'])
    keep_own_moments(other, [wrapper])
    after = [other.fc.weight.data, own_rows(saved['gradient'], other.fc)]
    after.append(wrapper.optimizer.state[other.fc.weight]['momentum_buffer'])
    return dict(before=before, after=after)


def work(rank: int, processes: int, port: int, folder: Path) -> None:
    """A replica: what each sharded head gives it, how many numbers it holds, the clipped norm."""
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=processes)
    made = nn.ModuleDict({name.replace('.', '_'): head for name, head in heads(True).items()})
    if processes > 1:
        with pytest.raises(RuntimeError, match=r'amlfs_mm\.LossSearchRunner'):
            result(made['softmax'], rank, processes)
        with pytest.raises(RuntimeError, match='spread over'):
            made['softmax'](torch.zeros(1, CHANNELS))
    keep_out_of_ddp(made)
    found = {name: result(head, rank, processes) for name, head in made.items()}
    for name, head in made.items():
        found[name] |= dict(rows=head.fc.class_range, held=head.fc.weight.numel())
        assert ('fc.weight' in head.state_dict()) == (processes == 1)
    head = made['am_softmax']
    common = nn.Parameter(torch.zeros(3))
    common.grad = torch.tensor([1.0, 2.0, 2.0])
    shards = [head.fc.weight]
    for norm_type in (2.0, float('inf')):
        norm = clip_grad_norm([common, *shards], 1e9, norm_type, shards=shards)
        found['am_softmax'][f'norm {norm_type}'] = norm
    clip_grad_norm([common, *shards], 0.1, shards=shards)
    found['am_softmax']['clipped'] = head.fc.weight.grad
    found['saved'] = save_and_load(made['am_softmax'], folder / 'checkpoint.pth')
    torch.save(found, folder / f'{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope='module', params=[1, 2, 4])
def replicas(request, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What the replicas of 1, 2 and 4 processes found."""
    folder, port = tmp_path_factory.mktemp('replicas'), free_port()
    arguments = [(rank, request.param, port, folder) for rank in range(request.param)]
    processes = [CONTEXT.Process(target=work, args=a) for a in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        process.kill()
    assert [process.exitcode for process in processes] == [0] * request.param
    found = [torch.load(folder / f'{r}.pth', weights_only=False) for r in range(request.param)]
    saved = torch.load(folder / 'checkpoint.pth', weights_only=True)
    return [dict(of_replica, checkpoint=saved) for of_replica in found]


def test_loss_and_gradients_are_those_of_the_whole_head(replicas: list[dict]):
    """Each replica's loss and feature gradients; the weights' are DDP's mean of the replicas'."""
    for name in heads(False):
        weight = []
        for replica, found in enumerate(replicas):
            whole = result(heads(False)[name], replica, len(replicas))
            found = found[name.replace('.', '_')]
            for key in ('loss', 'feature', 't', 'tau', 'accuracy'):
                if key in whole:
                    torch.testing.assert_close(
                        found[key], whole[key], rtol=1e-5, atol=1e-6, msg=name
                    )
            weight.append(whole['weight'])
        gathered = torch.cat([found[name.replace('.', '_')]['weight'] for found in replicas])
        torch.testing.assert_close(
            gathered,
            torch.stack(weight).mean(0),
            rtol=1e-5,
            atol=1e-6,
            msg=name,
        )


def test_memory_falls_with_the_replicas(replicas: list[dict]):
    """Each holds its classes, C / replicas up to one, and all are held once."""
    for name in heads(False):
        of_head = [found[name.replace('.', '_')] for found in replicas]
        rows = [found['rows'] for found in of_head]
        assert [row for part in rows for row in part] == list(range(CLASSES))
        for found in of_head:
            assert found['held'] == len(found['rows']) * CHANNELS
            assert found['held'] <= (CLASSES / len(replicas) + 1) * CHANNELS


def test_gradients_are_clipped_by_the_norm_of_all_shards(replicas: list[dict]):
    found = [of_replica['am_softmax'] for of_replica in replicas]
    whole = torch.cat([f['weight'].flatten() for f in found] + [torch.tensor([1.0, 2.0, 2.0])])
    for f in found:
        torch.testing.assert_close(f['norm 2.0'], whole.norm())
        torch.testing.assert_close(f['norm inf'], whole.abs().max())
        torch.testing.assert_close(
            f['clipped'], f['weight'] * 0.1 / whole.norm(), rtol=1e-4, atol=0
        )


def test_checkpoints_are_whole(replicas: list[dict]):
    """Weight, gradient, momentum: all rows in the file, and each replica reads its own again."""
    saved = replicas[0]['checkpoint']
    (state,) = saved['optimizer']['state'].values()
    parts = [found['saved'] for found in replicas]
    whole = [saved['model']['fc.weight'], saved['gradient'], state['momentum_buffer']]
    for i, tensor in enumerate(whole):
        assert torch.equal(tensor, torch.cat([part['before'][i] for part in parts]))
        for part in parts:
            assert torch.equal(part['after'][i], part['before'][i])
