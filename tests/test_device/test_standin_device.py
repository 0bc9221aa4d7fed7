"""The stand-in for a GPU: the CPU's numbers, a GPU's refusals, and what it counts."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from helpers.standin_device import NAME, counted, install, model_device
from torch import Tensor, nn

DEVICE = install()


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, stride=2, groups=2),
        nn.PReLU(8),
        nn.Dropout(0.3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )


@pytest.mark.parametrize(
    ('optimizer', 'options', 'channels_last'),
    [
        (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=1e-3, nesterov=True), False),
        (torch.optim.Adam, dict(lr=0.01, weight_decay=1e-3), True),
    ],
    ids=['SGD', 'Adam, channels last'],
)
def test_fifty_steps_give_the_cpus_weights_bit_for_bit(
    optimizer: type, options: dict, channels_last: bool
) -> None:
    def trained(device: str | torch.device) -> list[Tensor]:
        net = small_net().to(device)
        if channels_last:
            net = net.to(memory_format=torch.channels_last)
        update = optimizer(net.parameters(), **options)
        schedule = torch.optim.lr_scheduler.StepLR(update, 20)
        torch.manual_seed(1)
        for _ in range(50):
            images, target = torch.randn(4, 3, 8, 8), torch.randint(5, (4,))
            loss = F.cross_entropy(net(images.to(device)), target.to(device), label_smoothing=0.1)
            update.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            update.step()
            schedule.step()
        state = [t for p in update.state.values() for t in p.values() if isinstance(t, Tensor)]
        tensors = [*net.state_dict().values(), *state, loss]
        assert all(t.device.type == torch.device(device).type for t in tensors if t.dim())
        return [tensor.detach().cpu() for tensor in tensors]

    for ours, theirs in zip(trained(DEVICE), trained('cpu'), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_views_share_memory_and_gradients() -> None:
    def results(device: str | torch.device) -> list[Tensor]:
        x = torch.arange(24.0).view(2, 3, 4).to(device)
        x.transpose(0, 2)[1].mul_(10)
        x[:, 1] = -1.0
        x[x > 100] = 0.0
        part = x.flatten(1).unfold(1, 3, 2).permute(1, 0, 2)
        part[0].sub_(7)
        x.view(torch.int32)[0, 0, 1] = 0
        weight = x.clone().requires_grad_()
        twice = weight * 2
        left, right = twice.narrow(2, 0, 2), twice.narrow(2, 2, 2)
        left.add_(right)  # in place, on a view, within autograd
        (left.exp().sum() + right.select(1, 0).square().sum()).backward()
        weight.grad.remainder_(3)
        grown = torch.empty(0, device=device)
        torch.add(x, 1, out=grown)
        return [x, part.contiguous(), weight.grad, grown]

    for ours, theirs in zip(results(DEVICE), results('cpu'), strict=True):
        assert ours.device == DEVICE
        torch.testing.assert_close(ours.cpu(), theirs, rtol=0, atol=0, equal_nan=True)


ONES = torch.ones(2, 3, device=DEVICE)
REFUSED: dict[str, Callable[[], object]] = {
    'add': lambda: ONES + torch.ones(2, 3),
    'add, the other way round': lambda: torch.ones(2, 3) + ONES,
    'a sum on the CPU': lambda: torch.ones(3).add_(ONES[0]),
    'a number on the CPU': lambda: torch.ones(()).add_(ONES.sum()),
    'mm': lambda: ONES @ torch.ones(3, 2),
    'conv': lambda: F.conv1d(ONES, torch.ones(1, 2, 1)),
    'cat': lambda: torch.cat([ONES, torch.ones(2, 3)]),
    'stack of numbers': lambda: torch.stack([ONES.sum(), torch.tensor(1.0)]),
    'where': lambda: torch.where(ONES > 0, ONES, torch.zeros(2, 3)),
    'index_select': lambda: ONES.index_select(0, torch.tensor([0])),
    'gather': lambda: ONES.gather(0, torch.zeros(1, 3, dtype=torch.int64)),
    'cross_entropy': lambda: F.cross_entropy(ONES, torch.tensor([0, 1])),
    'foreach': lambda: torch._foreach_add_([ONES], [torch.ones(2, 3)]),
    'generator': lambda: torch.rand(3, device=DEVICE, generator=torch.Generator()),
    'dataless': lambda: ONES + torch.ones(2, 3, device='meta'),
}


@pytest.mark.parametrize('name', REFUSED)
def test_refuses_to_mix_devices_as_a_gpu_does(name: str) -> None:
    with pytest.raises(RuntimeError, match=r'device|generator|CPU'):
        REFUSED[name]()
    with pytest.raises(TypeError, match='to numpy'):
        ONES.numpy()


def test_takes_a_number_of_the_cpu_where_a_gpu_does() -> None:
    number = torch.tensor(2.0)
    assert (ONES * number).tolist() == (number * ONES).tolist() == [[2.0] * 3] * 2
    assert torch.where(ONES > 0, number, ONES).sum() == 12
    assert torch.empty(2, device=DEVICE).fill_(number).tolist() == [2, 2]
    assert ONES[torch.tensor([0])].tolist() == [[1.0] * 3]


@pytest.mark.parametrize(
    ('read', 'count'),
    [
        (lambda x: x.sum().item(), 1),
        (lambda x: float(x.max()) + int(x.min()), 2),
        (lambda x: bool((x > 0).all()), 1),
        (lambda x: x.nonzero(), 1),
        (lambda x: x[x > 0], 1),
        (lambda x: x.unique(), 1),
        (lambda x: torch.equal(x, x), 1),
        (lambda x: x[0].repeat_interleave(x[0].long()), 1),
        (lambda x: x[0].repeat_interleave(x[0].long(), output_size=3), 0),
        (lambda x: x.masked_fill(x > 0, 0.0), 0),
        (lambda x: x.clone().index_put_((x > 0,), x.new_zeros(())), 0),
        (lambda x: x.to(torch.float64).topk(2), 0),
        (lambda x: x.clone().view(3, 2)[1:].add_(1).argmax(1), 0),
    ],
)
def test_counts_what_the_host_reads_back(read: Callable[[Tensor], object], count: int) -> None:
    with counted() as traffic:
        read(ONES)
    assert traffic.read_backs.total() == count, traffic
    assert not traffic.to_host
    assert not traffic.to_device


def test_counts_copies_with_the_line_that_asks_for_them() -> None:
    host = torch.ones(2)
    with counted() as traffic:
        there = host.to(DEVICE)
        torch.zeros(3, device=DEVICE)  # made there
        there[torch.tensor([1])]  # an index of the CPU's is copied first
        there.tolist()
        host.copy_(there)
    assert (traffic.to_device.total(), traffic.to_host.total()) == (2, 2)
    assert not traffic.read_backs
    places = [*traffic.to_device, *traffic.to_host]
    assert all('test_standin_device.py' in place for place in places), places


def test_is_copied_and_saved_like_any_device() -> None:
    layer = nn.Linear(3, 2).to(DEVICE)
    twin = copy.deepcopy(layer)
    assert torch.equal(twin.weight, layer.weight)
    assert twin.weight.device == DEVICE
    with torch.no_grad():
        twin.weight.zero_()
    assert layer.weight.any()
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    loaded = torch.load(file, map_location='cpu', weights_only=True)
    assert torch.equal(loaded['weight'], layer.weight.detach().cpu())


def test_stands_for_the_model_device_only_where_it_is_asked_to() -> None:
    from mmengine.device import get_device

    from amlfs_mm.utils.devices import this_device

    usual = get_device()
    with model_device():
        assert get_device() == NAME
        assert this_device() == DEVICE
        assert torch.accelerator.current_accelerator().type == NAME
    assert get_device() == usual != NAME
    assert torch.accelerator.is_available() == torch.cuda.is_available()
