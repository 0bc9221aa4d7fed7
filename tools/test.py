"""Evaluate a checkpoint on a config's test split."""

import argparse
import json
from pathlib import Path

import torch.distributed as dist
from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS

import amlfs_mm  # noqa: F401  (cures for the OpenMMLab stack come before a config is read)
from amlfs_mm.utils.atomic_files import atomic_write


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='logs; default work_dirs/<config name>')
    parser.add_argument('--out', help='also write the metrics to this JSON file')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override settings'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none')
    parser.add_argument('--local-rank', '--local_rank', help=argparse.SUPPRESS)
    return parser.parse_args()


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """The config with the command line's settings, all processes on one model."""
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    cfg.setdefault('work_dir', str(Path('work_dirs') / Path(args.config).stem))
    cfg.load_from = args.checkpoint
    cfg.resume = False
    cfg.runner_type = 'amlfs_mm.LossSearchRunner'
    cfg.loss_search = dict(replicas_per_candidate='all', threads_per_process=None)
    return cfg


def main() -> None:
    args = parse_args()
    if not Path(args.checkpoint).is_file() and '://' not in args.checkpoint:
        raise SystemExit(f'test.py: there is no checkpoint {args.checkpoint!r}')
    runner = RUNNERS.build(merge_args(Config.fromfile(args.config), args))
    metrics = runner.test()
    if args.out and is_main_process():
        with atomic_write(args.out) as temporary:
            temporary.write_text(json.dumps(metrics, indent=1) + '\n')
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == '__main__':
    main()
