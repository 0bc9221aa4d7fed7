"""A search beside a bare PyTorch loop that does the same: what the framework itself costs.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/bare_loop.py [--rounds 3] [--only NAME ...]
    PYTHONPATH=. python benchmarks/bare_loop.py --device cuda

Drawn images of 28 x 28 (784 numbers) and an MLP 784-128-128-64 with batch normalisation, and drawn
images of 32 x 32 x 3 and ResNet-20; batches of 128, SGD with momentum, crops and flips, searched
losses. One side is a search as a user starts it: checkpoints, logs, journal. The other is a loop of
plain PyTorch in one file: the same networks, loss, optimizer and augmentation, B times restore,
train, evaluate, then the update of mu and the hand-over.

The sides take turns by the round, in processes of their own. Compared is processor time, on one
thread, as the median of the ratios of turns; the first round is not counted:

- iteration: training, by the iteration;
- round: 10,000 images, D_v 2,000, B = 8, everything that a round has;
- ResNet-20: training, by the iteration;
- evaluation: 5,000 images.

With --device cuda: images per second of a round of ResNet-20 on both sides, in float32, under
autocast to bfloat16, and with channels last besides; by the clock.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from measuring import Goal, alternate, check, describe_machine, keep_memory, median_ratio
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.registry import MODELS, RUNNERS, init_default_scope
from mmengine.runner import Runner
from search_overhead import QuietOutput
from torch import Tensor, nn

from amlfs_mm.datasets import InMemoryImages
from amlfs_mm.datasets.loading.in_memory_images import shift_and_flip
from amlfs_mm.engine.loops.batch_val_loop import BatchValLoop
from amlfs_mm.models import AMLFSHead
from amlfs_mm.registry import DATASETS
from amlfs_mm.search import GaussianPolicy

ROOT = Path(__file__).resolve().parent.parent
BATCH = 128
LR = 0.05
MOMENTUM = 0.9
GOALS = dict(iteration=1.15, round=1.25, resnet=1.02, evaluation=1.3)


@dataclass
class Task:
    """A network and its drawn images.

    Attributes:
        shape: (C, H, W) of an image.
        backbone, neck: Configs of mmpretrain.
        features: Numbers of a feature.
        train, val, test: Images of each part.
        candidates: B.
        rounds: Of the search, one more than is measured.
    """

    shape: tuple[int, int, int]
    backbone: dict
    neck: dict | None
    features: int
    train: int
    val: int
    test: int
    candidates: int
    rounds: int
    precision: str = 'float32'
    device: str = 'cpu'

    @property
    def model(self) -> dict:
        """The config of the classifier."""
        head = dict(type='amlfs_mm.AMLFSHead', num_classes=10, in_channels=self.features)
        return dict(type='ImageClassifier', backbone=self.backbone, neck=self.neck, head=head)


def mlp(rounds: int, candidates: int = 8, size: int = 10_000) -> Task:
    backbone = dict(type='amlfs_mm.MLP', in_channels=784, channels=(128, 128, 64))
    parts = dict(train=size, val=size // 5, test=size // 2)
    return Task((1, 28, 28), backbone, None, 64, **parts, candidates=candidates, rounds=rounds)


def resnet20(rounds: int, candidates: int = 2, size: int = 512) -> Task:
    backbone = dict(type='amlfs_mm.CIFARResNet', depth=20)
    neck = dict(type='GlobalAveragePooling')
    parts = dict(train=size, val=BATCH, test=BATCH)
    return Task((3, 32, 32), backbone, neck, 64, **parts, candidates=candidates, rounds=rounds)


@DATASETS.register_module(force=True)
class DrawnImages(BaseDataset):
    """Random images, each class brighter than the one before."""

    METAINFO = dict(classes=[str(number) for number in range(10)])

    def __init__(self, shape: tuple, count: int, seed: int, **kwargs) -> None:
        self.shape, self.count, self.seed = shape, count, seed
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        draw = np.random.default_rng(self.seed)
        channels, height, width = self.shape
        labels = draw.integers(10, size=self.count)
        images = draw.integers(0, 160, (self.count, height, width, channels), dtype=np.uint8)
        images += (9 * labels[:, None, None, None]).astype(np.uint8)
        return [
            dict(img=image, gt_label=int(label))
            for image, label in zip(images, labels, strict=True)
        ]


class Clock:
    """Processor time, or on a GPU the time on the clock once the GPU has finished."""

    def __init__(self, device: str) -> None:
        self.device = device

    def __call__(self) -> float:
        if self.device == 'cpu':
            return time.process_time()
        torch.accelerator.synchronize()
        return time.perf_counter()


# The search ---------------------------------------------------------------------------------------


def config_of(task: Task, work_dir: str) -> Config:
    """What a user would write."""
    padding = dict(type='RandomCrop', crop_size=task.shape[1], padding=4)
    flip = dict(type='RandomFlip', prob=0.5, direction='horizontal')
    pack = dict(type='PackInputs')

    def loader(part: str, seed: int, pipeline: list, batch: int, shuffle: bool) -> dict:
        count = getattr(task, part)
        kind = dict(type='amlfs_mm.DrawnImages', shape=task.shape, count=count, seed=seed)
        return dict(
            batch_size=batch,
            num_workers=0,
            dataset=dict(**kind, pipeline=pipeline),
            sampler=dict(type='DefaultSampler', shuffle=shuffle),
        )

    runtime = Config.fromfile(ROOT / 'configs' / '_base_' / 'default_runtime.py')
    amp = task.precision != 'float32'
    wrapper = dict(type='AmpOptimWrapper', dtype='bfloat16') if amp else dict(type='OptimWrapper')
    evaluator = dict(type='Accuracy', topk=(1,))
    config = dict(
        work_dir=work_dir,
        experiment_name=Path(work_dir).name,
        in_memory_gib=2,
        data_preprocessor=dict(num_classes=10, mean=[80.0], std=[60.0]),
        model=task.model,
        train_dataloader=loader('train', 0, [padding, flip, pack], BATCH, True),
        val_dataloader=loader('val', 1, [pack], 500, False),
        test_dataloader=loader('test', 2, [pack], 500, False),
        val_evaluator=evaluator,
        test_evaluator=evaluator,
        optim_wrapper=dict(**wrapper, optimizer=dict(type='SGD', lr=LR, momentum=MOMENTUM)),
        train_cfg=dict(by_epoch=True, max_epochs=task.rounds),
        val_cfg=dict(fp16=amp),
        test_cfg=dict(fp16=amp),
        runner_type='amlfs_mm.LossSearchRunner',
        custom_hooks=[dict(type='amlfs_mm.LossSearchHook', num_candidates=task.candidates)],
    )
    return Config({**runtime.to_dict(), **config})


class Measurement(Hook):
    """Seconds of rounds, of each candidate's training, and of an evaluation after each round."""

    priority = 'VERY_LOW'

    def __init__(self, task: Task, pause: Callable[[], None]) -> None:
        self.task, self.pause = task, pause
        self.read = Clock(task.device)
        self.began: float | None = None
        self.training = 0.0
        self.iterations = 0
        self.results: list[dict[str, float]] = []

    def watch(self, runner: Runner) -> None:
        """Count what the loop calls to train a candidate, and each round."""
        loop = runner.train_loop
        of_search = runner.val_loop
        self.evaluation = BatchValLoop(runner, runner.test_dataloader, runner.test_evaluator)
        train_epoch, begin_round, finish_round = (
            loop.train_epoch,
            loop.begin_round,
            loop.finish_round,
        )

        def timed_epoch() -> None:
            began, before = self.read(), loop.iter
            train_epoch()
            self.training += self.read() - began
            self.iterations += loop.iter - before

        def timed_begin(*args):
            self.pause()
            self.training, self.iterations = 0.0, 0
            self.began = self.read()
            return begin_round(*args)

        def timed_finish() -> None:
            finish_round()
            lasted = self.read() - self.began
            began = self.read()
            runner._val_loop = self.evaluation
            loop.evaluate()  # as the search evaluates D_v
            runner._val_loop = of_search
            self.results.append(
                dict(
                    round=lasted,
                    iteration=self.training / self.iterations,
                    evaluation=self.read() - began,
                )
            )

        loop.train_epoch, loop.begin_round, loop.finish_round = (
            timed_epoch,
            timed_begin,
            timed_finish,
        )

    def before_train(self, runner: Runner) -> None:
        self.watch(runner)


def run_search(task: Task, pause: Callable[[], None]) -> list[dict[str, float]]:
    """Seconds of each round but the first."""
    with tempfile.TemporaryDirectory() as work_dir, QuietOutput():
        runner = RUNNERS.build(config_of(task, work_dir))
        if task.precision == 'channels_last':
            runner.model.to(memory_format=torch.channels_last)
            runner.model.data_preprocessor.memory_format = torch.channels_last
        clock = Measurement(task, pause)
        runner.register_hook(clock)
        runner.train()
    return clock.results[1:]


# The bare loop ------------------------------------------------------------------------------------


class BareSearch:
    """The same search in plain PyTorch."""

    def __init__(self, task: Task) -> None:
        init_default_scope('mmpretrain')
        self.task = task
        self.read = Clock(task.device)
        torch.manual_seed(0)
        self.backbone = MODELS.build(task.backbone).to(task.device)
        self.pool = nn.AdaptiveAvgPool2d(1) if task.neck else nn.Identity()
        self.head = AMLFSHead(10, task.features).to(task.device)
        if task.precision == 'channels_last':
            self.backbone.to(memory_format=torch.channels_last)
        self.module = nn.ModuleList([self.backbone, self.head])
        self.optimizer = torch.optim.SGD(self.module.parameters(), lr=LR, momentum=MOMENTUM)
        self.policy = GaussianPolicy(self.head.search_space.identity(), sigma=0.2, lr=0.05)
        self.data = {
            part: self.load(getattr(task, part), seed)
            for seed, part in enumerate(('train', 'val', 'test'))
        }

    def load(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        source = DrawnImages(self.task.shape, count, seed, pipeline=[dict(type='PackInputs')])
        images = InMemoryImages(source, padding=0, flip_prob=0, device=self.task.device)
        return images.images, images.labels

    def features(self, images: Tensor) -> Tensor:
        images = images.float().sub_(80.0).div_(60.0)
        if self.task.precision == 'channels_last':
            images = images.contiguous(memory_format=torch.channels_last)
        with self.autocast():
            return self.pool(self.backbone(images)[-1]).flatten(1)

    def autocast(self):
        if self.task.precision == 'float32':
            return nullcontext()
        return torch.autocast(self.task.device, dtype=torch.bfloat16)

    def loss(self, images: Tensor, target: Tensor) -> Tensor:
        features = self.features(images).float()
        logits = F.linear(features, self.head.fc.weight)
        return self.head.per_sample_loss(logits, features, target).mean()

    def train_epoch(self) -> int:
        self.module.train()
        images, labels = self.data['train']
        batches = torch.randperm(len(images)).split(BATCH)
        for rows in batches:
            offsets = torch.randint(9, (len(rows), 2))
            flip = torch.rand(len(rows)) < 0.5
            rows = rows.to(images.device)
            batch = shift_and_flip(images.index_select(0, rows), 4, offsets, flip)
            loss = self.loss(batch, labels.index_select(0, rows))
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
        return len(batches)

    @torch.no_grad()
    def evaluate(self, part: str) -> float:
        self.module.eval()
        images, labels = self.data[part]
        right = 0
        for batch, target in zip(images.split(500), labels.split(500), strict=True):
            logits = F.linear(self.features(batch).float(), self.head.fc.weight)
            right += (logits.argmax(1) == target).sum()
        return 100 * right.item() / len(images)

    def state(self) -> tuple[dict, dict]:
        return copy.deepcopy(self.module.state_dict()), copy.deepcopy(self.optimizer.state_dict())

    def restore(self, state: tuple[dict, dict]) -> None:
        self.module.load_state_dict(state[0])
        self.optimizer.load_state_dict(copy.deepcopy(state[1]))

    def round(self, directory: Path) -> dict[str, float]:
        """Algorithm 1, one pass; the seconds of its parts."""
        began = self.read()
        theta = self.policy.sample(self.task.candidates, torch.Generator().manual_seed(0))
        start, best, rewards = self.state(), None, []
        training, iterations = 0.0, 0
        for candidate in theta:
            self.restore(start)
            self.head.set_theta(candidate)
            training -= self.read()
            iterations += self.train_epoch()
            training += self.read()
            rewards.append(self.evaluate('val'))
            if rewards[-1] == max(rewards):
                best = self.state()
        self.policy.update(theta, torch.tensor(rewards))
        self.restore(best)
        torch.save(best, directory / 'state.pth')
        lasted = self.read() - began
        began = self.read()
        self.evaluate('test')
        evaluation = self.read() - began
        return dict(round=lasted, iteration=training / iterations, evaluation=evaluation)


def run_bare(task: Task, pause: Callable[[], None]) -> list[dict[str, float]]:
    """Seconds of each round but the first."""
    search, results = BareSearch(task), []
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(task.rounds):
            pause()
            results.append(search.round(Path(directory)))
    return results[1:]


# The comparison -----------------------------------------------------------------------------------


def compare(task: Task, repeats: int = 1) -> dict[str, list[dict[str, float]]]:
    """What both sides return; they take turns by the round."""
    sides = dict(bare=partial(run_bare, task), search=partial(run_search, task))
    measured = dict(bare=[], search=[])
    for _ in range(repeats):
        for name, results in alternate(sides).items():
            measured[name] += results
    return measured


def ratio(measured: dict[str, list[dict[str, float]]], what: str) -> float:
    """Search / bare loop, the median over turns."""
    return median_ratio(*([r[what] for r in measured[side]] for side in ('search', 'bare')))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--rounds', type=int, default=4, help='the first is not counted')
    parser.add_argument('--repeats', type=int, default=2, help='of both processes')
    parser.add_argument('--only', choices=['mlp', 'resnet'], help='one of the networks')
    parser.add_argument('--device', default='cpu')
    args = parser.parse_args()
    if args.rounds < 2:
        raise SystemExit(f'--rounds {args.rounds}: the first is not counted, give 2 or more')
    torch.set_num_threads(1)
    os.environ['OMP_NUM_THREADS'] = '1'
    keep_memory()
    describe_machine('mmengine', 'mmpretrain')
    if args.device != 'cpu':
        return compare_on_gpu(args)
    rows, goals = [], []
    if args.only != 'resnet':
        measured = compare(mlp(args.rounds), args.repeats)
        rows += [
            (f'training iteration, MLP, batch {BATCH}', measured, 'iteration', 'iteration'),
            ('whole round, MLP, 10,000 images, D_v 2,000, B = 8', measured, 'round', 'round'),
            ('evaluating 5,000 images, MLP', measured, 'evaluation', 'evaluation'),
        ]
    if args.only != 'mlp':
        measured = compare(resnet20(args.rounds), args.repeats)
        rows.append(
            (f'training iteration, ResNet-20, batch {BATCH}', measured, 'iteration', 'resnet')
        )
    print('\n| processor time, ms | bare loop | search | ratio | goal |\n|---|---|---|---|---|')
    for name, measured, what, goal in rows:
        bare, search = (1000 * median(r[what] for r in measured[s]) for s in ('bare', 'search'))
        goals.append(Goal(name, ratio(measured, what), GOALS[goal]))
        print(f'| {name} | {bare:.2f} | {search:.2f} | {goals[-1].measured:.3f} | {GOALS[goal]} |')
    return check(goals)


def compare_on_gpu(args: argparse.Namespace) -> int:
    """Images per second, by precision."""
    print('\n| precision | bare loop, images/s | search | share |\n|---|---|---|---|')
    for precision in ('float32', 'bfloat16', 'channels_last'):
        task = resnet20(args.rounds, candidates=4, size=10_000)
        task.precision, task.device = precision, args.device
        measured = compare(task, args.repeats)
        seconds = {side: median(r['iteration'] for r in measured[side]) for side in measured}
        bare, search = BATCH / seconds['bare'], BATCH / seconds['search']
        print(f'| {precision} | {bare:.0f} | {search:.0f} | {search / bare:.2f} |', flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
