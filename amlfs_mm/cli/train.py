"""Train a config: a baseline or a loss search."""

import argparse
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import torch.distributed as dist
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS, RUNNERS
from torch.distributed.elastic.multiprocessing.errors import record

from amlfs_mm.utils.command_line import config_file, program_name
from amlfs_mm.utils.config_types import resolves_to
from amlfs_mm.utils.paths import expand_home, expand_home_in_config


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', type=config_file, help='config file')
    parser.add_argument(
        '--work-dir', type=expand_home, help='logs and models; default work_dirs/<config name>'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        type=expand_home,
        metavar='CHECKPOINT',
        help='continue a run, from its latest checkpoint in the work dir unless one is named',
    )
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision; bfloat16 without a GPU'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override settings, e.g. loss_search.num_candidates=8',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none')
    parser.add_argument('--local-rank', '--local_rank', help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def merge_args(cfg: Config, args: argparse.Namespace) -> Config:
    """The config with the command line's settings."""
    from amlfs_mm.engine.state.checkpoints import (
        find_checkpoints,  # a second to import, that --help spares
    )

    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    cfg.setdefault('work_dir', str(Path('work_dirs') / Path(args.config).stem))
    if args.amp:
        use_mixed_precision(cfg)
    if args.resume not in (None, 'auto'):
        cfg.resume, cfg.load_from = True, args.resume
    # torchrun counts its restarts (MAX_RESTARTS): after one, resume from what was saved.
    restarted = int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)) > 0
    # With nothing saved yet it starts as it did at first, from the config's weights if it has any.
    if (args.resume == 'auto' and not cfg.get('load_from')) or (
        (args.resume == 'auto' or restarted) and find_checkpoints(cfg.work_dir)
    ):
        cfg.resume, cfg.load_from = True, None
    if 'runner_type' not in cfg:
        # No search: one model on all processes, plain data parallelism.
        cfg.runner_type = 'amlfs_mm.LossSearchRunner'
        one_model = dict(replicas_per_candidate='all', threads_per_process=None)
        cfg.loss_search = {**cfg.get('loss_search', {}), **one_model}
    expand_home_in_config(cfg)  # MMEngine's own Runner does not
    return cfg


def use_mixed_precision(cfg: Config) -> None:
    """Train with ``AmpOptimWrapper``, on a CPU with ``BFloat16OptimWrapper``."""
    kind = cfg.optim_wrapper.get('type', OptimWrapper)
    if not any(
        resolves_to(kind, OPTIM_WRAPPERS, cls, True) for cls in (OptimWrapper, AmpOptimWrapper)
    ):
        raise SystemExit(
            f'{program_name()}: --amp replaces OptimWrapper by AmpOptimWrapper, but '
            f'optim_wrapper.type is {kind}: leave --amp out, and give that one mixed precision'
        )
    if get_device() == 'cpu':
        cfg.optim_wrapper.type = 'amlfs_mm.BFloat16OptimWrapper'
        for option in ('loss_scale', 'dtype', 'use_fsdp'):  # of AmpOptimWrapper
            cfg.optim_wrapper.pop(option, None)
        return
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


@record  # torchrun then shows the first failure of all processes, once
def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    from amlfs_mm.engine.distributed.stop_signal import EXIT_CODE, SIGNALS

    for number in SIGNALS:  # until a search has something to save and takes them over
        signal.signal(number, lambda *_: os._exit(EXIT_CODE))
    runner = RUNNERS.build(merge_args(Config.fromfile(args.config), args))
    runner.train()
    if dist.is_initialized():
        dist.destroy_process_group()
