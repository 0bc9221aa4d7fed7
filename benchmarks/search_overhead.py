"""What a search costs beyond the training and the evaluation of its candidates.

    PYTHONPATH=. python benchmarks/search_overhead.py [--repeats 3] [--candidates 4] [--rounds 3]

ResNet-20 on drawn images of 32 x 32 (PNG files), configs/extras/{amlfs,baseline}_resnet20_folder.py
as they are: a search of B candidates on one process, and a plain MMEngine Runner with the same
data, model and batch, each in a process of its own. They take turns by the candidate: one trains
and evaluates its next candidate, then the other its next epoch, so that both meet the same machine.
Compared are a round of the search, from its first hook to the next round's, and the B plain epochs
with their evaluations in between; the first round is not counted. The search logs, counts intervals
and saves checkpoints; the plain side saves none, so that saving is overhead too. Goal: a round <=
1.02 x B plain epochs. With --null the second side is plain too, which shows what the comparison
itself is worth.

Then what the round is made of, each step without the steps that it calls, and the same goal within
the search's own runs: a round by what of it is training and evaluation. That does not compare two
runs, and so also tells something on a busy machine. An epoch here is a fraction of a real one:
steps once a round weigh as much less in a real search as its epochs are longer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from measuring import Goal, alternate, check, describe_machine, keep_memory, median_ratio
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

ROOT = Path(__file__).resolve().parent.parent
GOAL = 1.02
EVALUATION = 'evaluate the candidates'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--candidates', type=int, default=4, help='B')
    parser.add_argument('--rounds', type=int, default=3, help='of a run, the first not counted')
    parser.add_argument(
        '--null', action='store_true', help='plain epochs in place of the search: the same twice'
    )
    parser.add_argument('--images', type=int, default=512, help='to train; 64 others are D_v')
    return parser.parse_args()


def draw_images(
    folder: Path, images: int, size: tuple[int, int] = (32, 32), held_out: int = 64
) -> None:
    """PNG files of a height and width in ten classes: random patches, each class its own tint."""
    draw = np.random.default_rng(0)
    for part, count in (('train', images), ('val', held_out), ('test', 10)):
        for number in range(count):
            path = folder / part / str(number % 10) / f'{number}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            small = draw.integers(0, 200, (size[0] // 4, size[1] // 4, 3))
            patches = small.repeat(4, 0).repeat(4, 1) + 5 * (number % 10)
            cv2.imwrite(str(path), patches.astype(np.uint8))


class StepClock:
    """Seconds of steps, without those of the steps that they call."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inner = [0.0]  # seconds of the steps within each step that is running

    def watch(self, owner: Any, name: str, step: str) -> None:
        """Count a function of an object, a class or a module as this step."""
        function = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                lasted = time.perf_counter() - began
                self.seconds[step] += lasted - self._inner.pop()
                self._inner[-1] += lasted

        setattr(owner, name, timed)


class RoundClock(Hook):
    """What each epoch of a model takes: a candidate's of a search, or a plain one.

    Args:
        steps: Counted too.
        pause: Called, with the clocks stopped, before each of these epochs.
    """

    priority = 'VERY_HIGH'

    def __init__(self, steps: StepClock, pause: Callable[[], None] = lambda: None) -> None:
        self.steps = steps
        self.pause = pause
        self.epochs: list[dict[str, float]] = []
        self._began: dict[str, float] | None = None

    def before_train_epoch(self, runner: Runner) -> None:
        self.stop()
        self.pause()
        self._began = self.read()

    def after_train(self, runner: Runner) -> None:
        self.stop()

    def read(self) -> dict[str, float]:
        """Seconds on the clock, of processors (of loader workers too), and of each step."""
        clocks = dict(clock=time.perf_counter(), processor=sum(os.times()[:4]))
        return clocks | self.steps.seconds

    def stop(self) -> None:
        """End an epoch, if one has begun."""
        if self._began is not None:
            now = self.read()
            self.epochs.append({name: now[name] - self._began.get(name, 0.0) for name in now})

    def rounds(self, candidates: int) -> list[Counter[str]]:
        """Seconds of B epochs together, by clock and step, but of the first B."""
        starts = range(candidates, len(self.epochs), candidates)
        return [sum(map(Counter, self.epochs[i : i + candidates]), Counter()) for i in starts]


def build_runner(name: str, data_root: str, work_dir: str, **options: Any) -> Runner:
    """A runner of a config of the repository, as tools/train.py builds it."""
    os.environ['DATA_ROOT'] = data_root
    cfg = Config.fromfile(ROOT / 'configs' / 'extras' / f'{name}.py')
    cfg.merge_from_dict(dict(work_dir=work_dir, experiment_name=Path(work_dir).name, **options))
    cfg.setdefault('runner_type', 'Runner')
    return RUNNERS.build(cfg)


def run_plain(data_root: str, candidates: int, rounds: int, pause: Callable) -> list[Counter]:
    """Seconds of each B plain epochs with their evaluations."""
    options = {
        'train_cfg.max_epochs': candidates * rounds,
        'train_cfg.val_interval': 1,
        'default_hooks.checkpoint.interval': -1,
    }
    clock = RoundClock(StepClock(), pause)
    with tempfile.TemporaryDirectory() as work_dir, QuietOutput():
        runner = build_runner('baseline_resnet20_folder', data_root, work_dir, **options)
        runner.register_hook(clock)
        runner.train()
    return clock.rounds(candidates)


def run_search(data_root: str, candidates: int, rounds: int, pause: Callable) -> list[Counter]:
    """Seconds of each round, and of its steps."""
    options = {'train_cfg.max_epochs': rounds, 'custom_hooks.0.num_candidates': candidates}
    clock = RoundClock(StepClock(), pause)
    with tempfile.TemporaryDirectory() as work_dir, QuietOutput():
        runner = build_runner('amlfs_resnet20_folder', data_root, work_dir, **options)
        runner.register_hook(clock)
        watch_search(runner, clock.steps)
        runner.train()
    return clock.rounds(candidates)


def watch_search(runner: Runner, steps: StepClock) -> None:
    """Time what a search does besides training."""
    from amlfs_mm.datasets.loading import seeded_loader
    from amlfs_mm.engine import LossSearchHook, TrainingState
    from amlfs_mm.engine.loops.loss_search_loop import LossSearchLoop

    hook = next(hook for hook in runner.hooks if isinstance(hook, LossSearchHook))
    for owner, name, step in (
        (hook, 'sample', 'draw the candidates'),
        (TrainingState, 'capture', 'capture states'),
        (TrainingState, 'restore', 'restore states'),
        (hook, 'install', 'install a candidate: seeds, theta'),
        (seeded_loader, 'derive_seeds', 'a seed for each image'),
        (hook, 'before_train_iter', 'before each iteration: sign of life'),
        (hook, 'after_train_iter', 'after each iteration: is the loss finite'),
        (LossSearchLoop, 'score', 'before each evaluation: are the weights finite'),
        (LossSearchLoop, 'evaluate', EVALUATION),
        (hook, 'exchange_rewards', 'exchange rewards'),
        (hook, 'update_policy', 'update mu'),
        (hook, 'hand_over', 'take over the winner'),
        (hook, 'record', 'write the records, log the round'),
        (runner, 'save_checkpoint', 'save checkpoints'),
    ):
        steps.watch(owner, name, step)


class QuietOutput:
    """Sends what this process prints, errors but exceptions too, to nowhere for a while."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        self._former = [os.dup(1), os.dup(2)]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.close(nowhere)

    def __exit__(self, *_: Any) -> None:
        for number, former in enumerate(self._former, start=1):
            os.dup2(former, number)
            os.close(former)


def report_steps(rounds: list[Counter[str]]) -> float:
    """Print what a round is made of, medians; what it is to training and evaluation alone."""
    middle = {name: median(one[name] for one in rounds) for name in rounds[0]}
    seconds, _ = middle.pop('clock'), middle.pop('processor')
    evaluation = middle.pop(EVALUATION)
    own = sum(middle.values())
    parts = {'train the candidates, and the rest': seconds - evaluation - own}
    print('\n| step | ms a round | share of the round |\n|---|---|---|')
    for step, lasted in (parts | {EVALUATION: evaluation} | middle).items():
        print(f'| {step} | {1000 * lasted:.1f} | {100 * lasted / seconds:.2f} % |')
    return seconds / (seconds - own)


def main() -> int:
    args = parse_args()
    if args.rounds < 2:
        raise SystemExit(f'--rounds {args.rounds}: the first is not counted, give 2 or more')
    torch.set_num_threads(1)
    os.environ['OMP_NUM_THREADS'] = '1'
    keep_memory()
    describe_machine('mmengine', 'mmpretrain')
    with tempfile.TemporaryDirectory() as folder:
        draw_images(Path(folder), args.images)
        sides = dict(plain=run_plain, search=run_plain if args.null else run_search)
        rounds = dict(plain=[], search=[])
        for _ in range(args.repeats):
            arguments = folder, args.candidates, args.rounds
            of_both = alternate({name: partial(run, *arguments) for name, run in sides.items()})
            for name, more in of_both.items():
                rounds[name] += more
    plain, search = rounds.values()
    ratios = {}
    print(f'\nB = {args.candidates}, {args.images} images; medians of {len(search)} rounds')
    second = 'B plain epochs again' if args.null else 'a round of the search'
    print(f'\n| seconds | B plain epochs | {second} | ratio | from, to |')
    print('|---|---|---|---|---|')
    for clock, of in (('clock', 'on the clock'), ('processor', 'of processors')):
        ours, its = ([seconds[clock] for seconds in of_side] for of_side in (search, plain))
        ratios[clock] = median_ratio(ours, its)
        each = [one / other for one, other in zip(ours, its, strict=True)]
        print(
            f'| {of} | {median(its):.2f} | {median(ours):.2f} | {ratios[clock]:.3f} '
            f'| {min(each):.3f}, {max(each):.3f} |'
        )
    if args.null:
        return 0
    of_steps = report_steps(search)
    return check(
        [
            Goal('a round / its candidates as plain epochs and evaluations', ratios['clock'], GOAL),
            Goal('a round / its own training and evaluation', of_steps, GOAL),
        ]
    )


if __name__ == '__main__':
    sys.exit(main())
