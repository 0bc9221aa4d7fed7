"""Time K candidates' training as one batched program against K candidates in turn.

    OMP_NUM_THREADS=1 python benchmarks/many_candidates.py [--repeats 9] [--device cuda]

Forward, backward and SGD with momentum of ResNet-20 with a searched loss, on one batch that all
candidates share (common random numbers; with orders of their own, candidates have no batch to
share). Each candidate has its own weights, BatchNorm statistics and theta. The ways:

    in turn   K steps of one model with AMLFSHead, as a sub-runner does them.
    vmap      `torch.vmap` over the stacked parameters and buffers of the same model.
    grouped   One network K times as wide, with grouped convolutions: K models side by side.

One step of each way after the other, `--repeats` times; prints the median of the ratios to `in
turn`. First the batched ways take three steps beside K models in float64, and the script stops with
an error where their weights or statistics differ by more than rounding.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from amlfs_mm.models import AMLFSHead, CIFARResNet
from amlfs_mm.models.backbones.cifar_resnet import OptionAShortcut
from amlfs_mm.models.layers.logits import bias_free_logits, norms_outside_t
from amlfs_mm.models.losses import amlfs_loss

CLASSES = 10
SGD = dict(lr=0.1, momentum=0.9, weight_decay=1e-4)
Step = Callable[[Tensor, Tensor], None]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--candidates', type=int, nargs='+', default=[2, 4, 8], metavar='K')
    parser.add_argument(
        '--batches', nargs='+', default=['32x8', '128x32'], metavar='NxS', help='images x side'
    )
    parser.add_argument('--repeats', type=int, default=9)
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


class Candidate(nn.Module):
    """ResNet-20 with a searched head and the sampled loss theta."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.backbone = CIFARResNet(20)
        self.head = AMLFSHead(CLASSES, 64)
        self.head.set_theta(self.head.theta + 0.2 * torch.randn(24))

    def features(self, images: Tensor) -> Tensor:
        return self.backbone(images)[0].mean((2, 3))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """The loss without the head's interval counts and hand-written gradient."""
        return searched_loss(
            self.features(images), self.head.fc.weight, self.head.theta, labels, self.head
        )


def searched_loss(
    features: Tensor, weight: Tensor, theta: Tensor, labels: Tensor, head: AMLFSHead
) -> Tensor:
    """One candidate's mean loss, from features (N, D), class weights (C, D) and theta."""
    logits, features = bias_free_logits(features, weight, head.scale)
    norms = norms_outside_t(features, weight, labels, head.scale)
    t, tau = head.search_space.transforms(theta, head.min_slope)
    return amlfs_loss(logits, labels, norms, t, tau)[0].mean()


def in_turn(models: list[Candidate]) -> Step:
    """One step of each model."""
    optimizers = [torch.optim.SGD(model.parameters(), **SGD) for model in models]

    def step(images: Tensor, labels: Tensor) -> None:
        samples = [DataSample().set_gt_label(label) for label in labels]
        for model, optimizer in zip(models, optimizers, strict=True):
            optimizer.zero_grad()
            model.head.loss((model.features(images),), samples)['loss'].backward()
            optimizer.step()

    return step


def with_vmap(models: list[Candidate]) -> tuple[Step, Callable[[], dict[str, Tensor]]]:
    """A step of all, and their states, each tensor (K, ...)."""
    parameters, buffers = stack_module_state(models)
    model = copy.deepcopy(models[0]).to('meta')
    optimizer = torch.optim.SGD(parameters.values(), **SGD)

    def loss_of_one(parameters: dict, buffers: dict, images: Tensor, labels: Tensor) -> Tensor:
        return functional_call(model, (parameters, buffers), (images, labels))

    # BatchNorm's statistics are among the buffers: each candidate's own are updated in place.
    losses = torch.vmap(loss_of_one, in_dims=(0, 0, None, None))

    def step(images: Tensor, labels: Tensor) -> None:
        optimizer.zero_grad()
        losses(parameters, buffers, images, labels).sum().backward()
        optimizer.step()

    return step, lambda: {**parameters, **buffers}


class GroupedShortcut(nn.Module):
    """Option A's shortcut in each of the groups."""

    def __init__(self, shortcut: OptionAShortcut, groups: int) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        apart = x.unflatten(1, (self.groups, -1)).flatten(0, 1)
        return self.shortcut(apart).unflatten(0, (len(x), -1)).flatten(1, 2)


def widen(module: nn.Module, groups: int) -> nn.Module:
    """A backbone with ``groups`` networks of its kind side by side; the images are shared."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            shared = child.in_channels == 3
            wide = nn.Conv2d(
                child.in_channels * (1 if shared else groups),
                child.out_channels * groups,
                child.kernel_size,
                child.stride,
                child.padding,
                groups=1 if shared else groups,
                bias=False,
            )
        elif isinstance(child, nn.BatchNorm2d):
            wide = nn.BatchNorm2d(child.num_features * groups, child.eps, child.momentum)
        elif isinstance(child, OptionAShortcut):
            wide = GroupedShortcut(child, groups)
        else:
            wide = widen(child, groups)
        setattr(module, name, wide)
    return module


def grouped(models: list[Candidate]) -> tuple[Step, Callable[[], dict[str, Tensor]]]:
    """As :func:`with_vmap`."""
    count, head = len(models), models[0].head
    device, dtype = head.theta.device, head.theta.dtype
    states = [model.backbone.state_dict() for model in models]
    backbone = widen(copy.deepcopy(models[0].backbone), count).to(device, dtype)
    backbone.load_state_dict(
        {
            name: torch.cat([state[name] for state in states]) if value.ndim else value
            for name, value in states[0].items()
        }
    )
    weight = torch.stack([model.head.fc.weight.detach() for model in models]).requires_grad_()
    thetas = torch.stack([model.head.theta for model in models])
    losses = torch.vmap(
        lambda x, w, theta, y: searched_loss(x, w, theta, y, head), in_dims=(0, 0, 0, None)
    )
    optimizer = torch.optim.SGD([*backbone.parameters(), weight], **SGD)

    def step(images: Tensor, labels: Tensor) -> None:
        optimizer.zero_grad()
        features = backbone(images)[0].mean((2, 3)).unflatten(1, (count, -1)).transpose(0, 1)
        losses(features, weight, thetas, labels).sum().backward()
        optimizer.step()

    def state() -> dict[str, Tensor]:
        backbones = {
            f'backbone.{name}': value.unflatten(0, (count, -1))
            for name, value in backbone.state_dict().items()
            if value.ndim
        }
        return {**backbones, 'head.fc.weight': weight}

    return step, state


WAYS = dict(vmap=with_vmap, grouped=grouped)


def make_candidates(count: int, device: str, dtype: torch.dtype = torch.float32) -> list[Candidate]:
    return [Candidate(seed).to(device, dtype).train() for seed in range(count)]


def draw(batch: str, device: str, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    images, side = (int(number) for number in batch.split('x'))
    torch.manual_seed(0)
    return (
        torch.randn(images, 3, side, side).to(device, dtype),
        torch.randint(CLASSES, (images,)).to(device),
    )


def check_equality(count: int, device: str) -> None:
    """Three steps in float64 leave the same weights and statistics.

    Raises:
        AssertionError: They differ; the tensor's name, and by how much.
    """
    images, labels = draw('16x8', device, torch.float64)
    models = make_candidates(count, device, torch.float64)
    ways = {name: build(models) for name, build in WAYS.items()}
    alone = in_turn(models)
    for step in (alone, *(step for step, _ in ways.values())):
        for _ in range(3):
            step(images, labels)
    for name, (_, state) in ways.items():
        for key, value in state().items():
            if not key.endswith(('num_batches_tracked', '_count')):
                expected = torch.stack([model.state_dict()[key] for model in models])
                torch.testing.assert_close(
                    value,
                    expected,
                    rtol=1e-6,
                    atol=1e-8,
                    msg=lambda m, name=name, key=key: f'{name}, {key}: {m}',
                )


def seconds(step: Step, images: Tensor, labels: Tensor) -> float:
    """Of one step; with one CPU thread its CPU time, which other programs disturb less."""
    alone = images.device.type == 'cpu' and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    start = clock()
    step(images, labels)
    if images.device.type != 'cpu':
        torch.accelerator.synchronize()
    return clock() - start


def time_ways(count: int, batch: str, args: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of each repeat, by way; the first two are not counted."""
    images, labels = draw(batch, args.device)
    models = make_candidates(count, args.device)
    steps = {name: build(models)[0] for name, build in WAYS.items()}
    steps['in turn'] = in_turn(models)
    taken = {name: [] for name in steps}
    for repeat in range(args.repeats + 2):
        for name, step in steps.items():
            spent = seconds(step, images, labels)
            if repeat > 1:
                taken[name].append(spent)
    return taken


def main() -> None:
    args = parse_args()
    print(f'torch {torch.__version__}, {args.device}, {torch.get_num_threads()} threads\n')
    check_equality(3, args.device)
    print(
        '| images x side | K | in turn, ms | vmap, ms | grouped, ms | gain of vmap | of grouped |'
    )
    print('|---|---|---|---|---|---|---|')
    for batch in args.batches:
        for count in args.candidates:
            taken = time_ways(count, batch, args)
            middle = [1000 * statistics.median(taken[way]) for way in ('in turn', *WAYS)]
            gains = [
                statistics.median(a / b for a, b in zip(taken['in turn'], taken[way], strict=True))
                for way in WAYS
            ]
            times = ' | '.join(f'{value:.1f}' for value in middle)
            print(f'| {batch} | {count} | {times} | {gains[0]:.2f} | {gains[1]:.2f} |', flush=True)


if __name__ == '__main__':
    main()
