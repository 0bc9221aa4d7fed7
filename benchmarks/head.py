"""Time a training step of the searched head, forward and backward, against its peers.

    OMP_NUM_THREADS=2 python benchmarks/head.py [--repeats 20] [--device cuda] [--sizes 64x2048x751]

Needs `pip install -r requirements/bench.txt`. Sizes are N x D x C: samples, numbers of a feature,
classes. `plain` is `F.cross_entropy(s * F.linear(normalize(x), normalize(W)), y)`, the least that a
cosine softmax costs if written in one line. The sides take turns, step by step, in one process.
Prints each side's median and its ratio to plain, and the memory of a step beyond what is there
before it, each side's in a process of its own, in units of one N x C float32 tensor.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS, init_default_scope
from mmpretrain.structures import DataSample
from torch import Tensor, nn

import amlfs_mm  # noqa: F401

SIZES = ['128x64x10', '64x2048x751', '256x512x10575', '256x512x100000']
SCALE = 30.0
OURS = 'AMLFSHead'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--autocast', action='store_true', help='features in bfloat16, autocast on')
    parser.add_argument('--sizes', nargs='+', default=SIZES, metavar='NxDxC')
    return parser.parse_args()


def plain(dim: int, classes: int) -> tuple[nn.Module, Callable]:
    """Cosine softmax in one line."""
    head = nn.Linear(dim, classes, bias=False)

    def loss(x: Tensor, y: Tensor, samples: list) -> Tensor:
        return F.cross_entropy(SCALE * F.linear(F.normalize(x), F.normalize(head.weight)), y)

    return head, loss


def openmmlab(**head_cfg) -> Callable:
    """A head of mmpretrain's kind, as a model calls it."""

    def build(dim: int, classes: int) -> tuple[nn.Module, Callable]:
        head = MODELS.build(dict(in_channels=dim, num_classes=classes, **head_cfg))
        head.train()
        if hasattr(head, 'set_theta'):  # a sampled loss, as in a search
            torch.manual_seed(0)
            head.set_theta(head.theta + 0.2 * torch.randn_like(head.theta))
        return head, lambda x, y, samples: head.loss((x,), samples)['loss']

    return build


def metric_learning(name: str) -> Callable:
    """A loss of pytorch-metric-learning, its class weights inside."""

    def build(dim: int, classes: int) -> tuple[nn.Module, Callable]:
        from pytorch_metric_learning import losses

        head = getattr(losses, name)(classes, dim, scale=SCALE)
        return head, lambda x, y, samples: head(x, y)

    return build


SIDES = {
    'plain': plain,
    OURS: openmmlab(type='amlfs_mm.AMLFSHead', scale=SCALE),
    'mmpretrain LinearClsHead': openmmlab(type='LinearClsHead'),
    'mmpretrain ArcFaceClsHead': openmmlab(type='ArcFaceClsHead', scale=SCALE),
    'PML CosFaceLoss': metric_learning('CosFaceLoss'),
    'PML ArcFaceLoss': metric_learning('ArcFaceLoss'),
}


def make_step(side: str, size: str, device: str, autocast: bool) -> Callable[[], None]:
    """One forward and backward pass, from the features' gradients to the class weights'."""
    samples, dim, classes = (int(number) for number in size.split('x'))
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    head, loss = SIDES[side](dim, classes)
    head.to(device)
    dtype = torch.bfloat16 if autocast else torch.float32
    x = torch.randn(samples, dim, device=device, dtype=dtype).requires_grad_()
    y = torch.randint(classes, (samples,), device=device)
    data_samples = [DataSample().set_gt_label(label) for label in y]

    def step() -> None:
        x.grad = None
        for parameter in head.parameters():
            parameter.grad = None
        with torch.autocast(device, torch.bfloat16, enabled=autocast):
            value = loss(x, y, data_samples)
        value.backward()
        if device != 'cpu':
            torch.cuda.synchronize()

    return step


def time_sides(size: str, args: argparse.Namespace) -> dict[str, list[float]]:
    """Seconds of each repeat, by side; the first two steps of a side are not counted."""
    steps = {side: make_step(side, size, args.device, args.autocast) for side in SIDES}
    seconds = {side: [] for side in SIDES}
    for repeat in range(args.repeats + 2):
        for side, step in steps.items():
            start = time.perf_counter()
            step()
            if repeat > 1:
                seconds[side].append(time.perf_counter() - start)
    return seconds


def measure_memory(side: str, size: str, device: str, autocast: bool) -> float:
    """Bytes of a second step beyond what is there before the first; in a fresh process."""
    step = make_step(side, size, device, autocast)
    if device != 'cpu':
        before = torch.cuda.memory_allocated()
        step()
        return torch.cuda.max_memory_allocated() - before
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


def main() -> None:
    args = parse_args()
    # Freed memory goes back at once, so that the process's peak is the step's.
    os.environ['MALLOC_MMAP_THRESHOLD_'] = str(1 << 16)
    print(f'torch {torch.__version__}, {args.device}, {torch.get_num_threads()} threads\n')
    print('| N x D x C | side | ms (median) | / plain | extra memory, N x C tensors |')
    print('|---|---|---|---|---|')
    for size in args.sizes:
        samples, _, classes = (int(number) for number in size.split('x'))
        seconds = {s: statistics.median(t) for s, t in time_sides(size, args).items()}
        for side in SIDES:
            memory = ''
            if samples * classes > 1e6:  # smaller ones drown in what else a process allocates
                with multiprocessing.get_context('spawn').Pool(1) as pool:
                    used = pool.apply(measure_memory, (side, size, args.device, args.autocast))
                memory = f'{used / (4 * samples * classes):.1f}'
            ratio = seconds[side] / seconds['plain']
            print(f'| {size} | {side} | {1000 * seconds[side]:.2f} | {ratio:.2f} | {memory} |')


if __name__ == '__main__':
    main()
