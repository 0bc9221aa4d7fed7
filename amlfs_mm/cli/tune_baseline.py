"""Tune learning rate and weight decay of a baseline on D_v, before anything is compared with it.

    amlfs_mm tune-baseline CONFIG --lr 0.03 0.1 0.3 --weight-decay 1e-4 5e-4 2e-3

Trains the config with each learning rate and each weight decay, over seeds, in
WORK_DIR/<config>_lr<a>_wd<b>_seed<n>/, and prints a table of the metric on D_v. The test set is
never read. The setting with the best mean is printed as a line for the baseline's config: the
configs of its searches and controls inherit from that. After an interruption the same command goes
on.
"""

import argparse
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmengine.logging import MMLogger

from amlfs_mm.analysis import read_run
from amlfs_mm.analysis.benchmark.benchmark_runs import Launcher, Training
from amlfs_mm.analysis.benchmark.tuning import (
    Score,
    Setting,
    best_setting,
    edges,
    plan_tuning,
    score_setting,
    tabulate_scores,
)
from amlfs_mm.utils.command_line import config_file, errors_as_messages, positive_int
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import write_json, write_text

TOOLS = Path(__file__).resolve().parents[1] / '.mim' / 'tools'


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', type=config_file, metavar='CONFIG', help='of the baseline')
    parser.add_argument('--lr', nargs='+', type=float, required=True, help='learning rates')
    parser.add_argument(
        '--weight-decay', nargs='+', type=float, required=True, help='weight decays'
    )
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='seeds of each setting')
    parser.add_argument('--jobs', type=positive_int, default=1, help='number of runs at a time')
    parser.add_argument(
        '--work-dir',
        type=user_path,
        default=Path('work_dirs/tuning'),
        help='where the work dirs of the runs go',
    )
    parser.add_argument('--metric', default='accuracy/top1', help='metric on D_v')
    parser.add_argument(
        '--by',
        choices=['last', 'best'],
        default='last',
        help='whether the last or the best epoch counts',
    )
    parser.add_argument(
        '--out', type=user_path, metavar='FILE.py', help='write a config that inherits from CONFIG'
    )
    parser.add_argument('--json', type=user_path, metavar='FILE', help='write the table as JSON')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings of all runs'
    )
    return parser.parse_args(arguments)


def tune(args: argparse.Namespace) -> list[Score]:
    """Run what is missing; the scores of all settings.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: A work dir holds a run with other settings, or a run has no such metric on D_v.
        ChildProcessError: A run failed.
    """
    baseline = Training(args.config, 0, args.work_dir, tuple(args.cfg_options), args.metric)
    plan = plan_tuning(baseline, args.lr, args.weight_decay, args.seeds)
    trainings = [training for members in plan.values() for training in members]
    for training in trainings:
        training.check()
    launcher = Launcher(TOOLS, 1, args.jobs)
    launcher.wait([launcher.submit(partial(launcher.train, training)) for training in trainings])
    return [
        score_setting(setting, [read_run(each.work_dir) for each in members], args.metric)
        for setting, members in plan.items()
    ]


def config_text(setting: Setting, args: argparse.Namespace) -> str:
    """A config that inherits from the baseline's, with the numbers and where they come from."""
    base = os.path.relpath(args.config, args.out.parent)
    return '\n'.join(
        [
            '# Tuned by amlfs_mm tune-baseline:',
            f'# {args.metric} on D_v, {args.by} epoch, seeds {", ".join(map(str, args.seeds))};',
            f'# lr of {values(args.lr)}; weight decay of {values(args.weight_decay)}.',
            f'_base_ = [{base!r}]',
            config_line(setting),
            '',
        ]
    )


def config_line(setting: Setting) -> str:
    """The setting as a line of a config."""
    lr, weight_decay = (f'{value:g}' for value in setting)
    return f'optim_wrapper = dict(optimizer=dict(lr={lr}, weight_decay={weight_decay}))'


def values(numbers: Sequence[float]) -> str:
    """Numbers as text."""
    return ', '.join(f'{number:g}' for number in numbers)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    MMLogger.get_current_instance().setLevel('WARNING')
    with errors_as_messages():
        scores = tune(args)
        best = best_setting(scores, args.by)
        if args.json:
            table = [
                dict(**s.setting._asdict(), last=s.last._asdict(), best=s.best._asdict())
                for s in scores
            ]
            content = dict(
                config=str(args.config),
                metric=args.metric,
                by=args.by,
                seeds=args.seeds,
                scores=table,
                chosen=best._asdict(),
            )
            write_json(args.json, content)
        if args.out:
            write_text(args.out, config_text(best, args))
    print(f'{args.metric} on D_v: mean over seeds ± 95 % t-interval.\n')
    print(tabulate_scores(scores))
    print(f'\nBest by the {args.by} epoch:\n\n{config_line(best)}')
    for sentence in edges(best, scores):
        print(sentence)
