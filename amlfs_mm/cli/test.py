"""Evaluate a checkpoint on a config's test split."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch.distributed as dist
from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS

from amlfs_mm.utils.command_line import config_file, errors_as_messages
from amlfs_mm.utils.paths import expand_home, user_path
from amlfs_mm.utils.text_files import write_json


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', type=config_file, help='config file')
    parser.add_argument('checkpoint', type=expand_home, help='checkpoint file')
    parser.add_argument(
        '--work-dir',
        type=expand_home,
        help='logs; default work_dirs/<config name>, or the folder test in it after a training',
    )
    parser.add_argument('--out', type=user_path, help='also write the metrics to this JSON file')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override settings'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none')
    parser.add_argument('--local-rank', '--local_rank', help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """The config with the command line's settings, all processes on one model."""
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    cfg.setdefault('work_dir', str(Path('work_dirs') / Path(args.config).stem))
    work_dir = Path(cfg.work_dir)
    if work_dir.name != 'test' and (work_dir / Path(args.config).name).is_file():
        # The config with which the training there was started stays as it is.
        cfg.work_dir = str(work_dir / 'test')
    cfg.load_from = args.checkpoint
    cfg.resume = False
    cfg.runner_type = 'amlfs_mm.LossSearchRunner'
    # The search's options stay: this config is written to the work dir, and a report reads it.
    one_model = dict(replicas_per_candidate='all', threads_per_process=None)
    cfg.loss_search = {**cfg.get('loss_search', {}), **one_model}
    return cfg


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    from amlfs_mm.engine.state.checkpoints import (  # a second to import, that --help spares
        check_checkpoint_file,
        is_remote,
    )

    if not is_remote(args.checkpoint):
        with errors_as_messages():
            check_checkpoint_file(args.checkpoint)
    if args.out:  # rather an error now than after the test
        args.out.parent.mkdir(parents=True, exist_ok=True)
    runner = RUNNERS.build(merge_args(Config.fromfile(args.config), args))
    metrics = runner.test()
    if args.out and is_main_process():
        write_json(args.out, metrics)
    if dist.is_initialized():
        dist.destroy_process_group()
