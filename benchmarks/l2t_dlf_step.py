"""What a training step of L2T-DLF costs beside a plain one: CPU time, and memory that is kept.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/l2t_dlf_step.py [--repeats 10] [--window 10]

No data: random images. Two students with the batch and the D_v of their configs: LeNet-5 on
Fashion-MNIST (`l2t_dlf_lenet_fashion`) and ResNet-20 on digits (`l2t_dlf_resnet20_digits`). A side
trains for a window: `plain` with cross entropy; `taught` with the losses of a teacher, the gradient
of D_v, and the way back through the window's steps; `fixed` with the losses of a teacher that does
not learn, and a look at D_v. The sides take turns. Printed are the medians a step in milliseconds
of CPU time, the medians of the ratios to plain, and the copies of weights, velocities and buffers
that a window keeps, in multiples of the model's weights. There is no goal.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from measuring import describe_machine, median_ratio, take_turns
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, init_default_scope
from mmpretrain.structures import DataSample
from torch import Tensor, nn

import amlfs_mm  # noqa: F401
from amlfs_mm.engine.taught_heads import find_taught_head
from amlfs_mm.engine.teaching.reverse import reverse
from amlfs_mm.engine.teaching.student import Student
from amlfs_mm.engine.teaching.student_state import StudentState
from amlfs_mm.models import AttentionTeacher

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'small'
STUDENTS = {
    'LeNet-5, batch 100, D_v 1,000': ('fashion_mnist', 'lenet_fashion', (1, 28, 28), 100, 1000),
    'ResNet-20, batch 32, D_v 300': ('digits', 'resnet20_digits', (3, 8, 8), 32, 300),
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=10)
    parser.add_argument('--window', type=int, default=10)
    return parser.parse_args()


def random_batch(shape: tuple, size: int) -> dict[str, Any]:
    samples = [DataSample().set_gt_label(i % 10) for i in range(size)]
    images = list(torch.randint(256, (size, *shape), dtype=torch.uint8))
    return dict(inputs=images, data_samples=samples)


def build(folder: str, name: str) -> tuple[nn.Module, OptimWrapper]:
    """The model and the optimizer of a config."""
    cfg = Config.fromfile(CONFIGS / folder / f'{name}.py')
    cfg.model.data_preprocessor = cfg.data_preprocessor
    model = MODELS.build(cfg.model).train()
    options = dict(cfg.optim_wrapper.optimizer)
    options.pop('type')
    return model, OptimWrapper(torch.optim.SGD(model.parameters(), **options))


def timed(work: Callable[[], None], steps: int) -> float:
    """Milliseconds of CPU time a step."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start) / steps


def measure(
    folder: str, name: str, shape: tuple, batch: int, dev: int, args: argparse.Namespace
) -> tuple[dict[str, list], float]:
    """Milliseconds a step of each side in each repeat, and the copies that a window keeps."""
    batches = [random_batch(shape, batch) for _ in range(args.window)]
    dev_batch = random_batch(shape, dev)
    plain, plain_wrapper = build(folder, f'baseline_{name}')
    model, wrapper = build(folder, f'l2t_dlf_{name}')
    found = find_taught_head(model)
    student = Student(model, found, wrapper.optimizer, 'expected_error')
    teacher = AttentionTeacher(found.head.phi, StudentState.length(10))
    optimizer = torch.optim.Adam(teacher.parameters(), lr=1e-4)
    state = StudentState(10, torch.device('cpu'))
    copies: list[float] = []

    def train_plain() -> None:
        for data in batches:
            plain.train_step(data, plain_wrapper)

    def train_fixed() -> None:
        for data in batches:
            with torch.no_grad():
                found.head.set_phi(teacher(state.vector(0.5))[0])
            model.train_step(data, wrapper)
        state.update(found.head.take_training_accuracy(), student.score([dev_batch]))

    def train_taught() -> None:
        steps = []
        for data in batches:
            phi, _ = teacher(state.vector(0.5))
            found.head.set_phi(phi.detach())
            steps.append(student.record(data, phi))
            model.train_step(data, wrapper)
        copies.append(sum(map(numbers_of, steps)) / sum(w.numel() for w in model.parameters()))
        gradient, _, scores = student.dev_gradient([dev_batch], dev)
        by_phi = reverse(student, steps, gradient)
        optimizer.zero_grad()
        torch.autograd.backward([step.phi for step in steps], by_phi)
        optimizer.step()
        state.update(found.head.take_training_accuracy(), scores)

    sides = dict(plain=train_plain, fixed=train_fixed, taught=train_taught)
    turns = {side: lambda work=work: timed(work, args.window) for side, work in sides.items()}
    return take_turns(turns, args.repeats, warm_up=1), copies[-1]


def numbers_of(step: Any) -> int:
    tensors: list[Tensor | None] = [*step.weights, *step.velocities, *step.buffers.values()]
    return sum(tensor.numel() for tensor in tensors if tensor is not None)


def main() -> None:
    args = parse_args()
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    describe_machine()
    print(f'\nA window of {args.window} steps\n')
    print('| student | side | ms a step | times plain | copies of the weights |')
    print('|---|---|---|---|---|')
    for student, (folder, name, shape, batch, dev) in STUDENTS.items():
        times, copies = measure(folder, name, shape, batch, dev, args)
        for side, values in times.items():
            ratio = median_ratio(values, times['plain'])
            kept = f'{copies:.1f}' if side == 'taught' else ''
            median = statistics.median(values)
            print(f'| {student} | {side} | {median:.1f} | {ratio:.2f} | {kept} |', flush=True)


if __name__ == '__main__':
    main()
