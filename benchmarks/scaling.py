"""Strong scaling: the images per second that a whole population of candidates trains.

    PYTHONPATH=. python benchmarks/scaling.py [--processes 1 2] [--candidates 8] [--repeats 2]
    PYTHONPATH=. python benchmarks/scaling.py --device cuda --processes 1 2 4 8

A search is started as a user starts it, with tools/dist_train.sh, on each number of processes in
turn. Counted are the rounds behind the first, by the seconds of the log's lines 'Search epoch':
training, evaluation, exchange and hand-over. B x images / seconds is the population's throughput;
its ratio to that of one process is the speed-up.

On a CPU: ResNet-20 on drawn images of 32 x 32 with configs/extras/amlfs_resnet20_folder.py, one
thread a process, images loaded by the process itself. Goal: 1.8 x with two processes on two cores.
On one GPU, which all sub-runners share: the same with two loader workers each and batch 128, and a
ResNet-50 at 384 x 128 with batch 32. Run it with and without NVIDIA's MPS daemon
(nvidia-cuda-mps-control -d); the output says whether it runs.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import torch
from measuring import Goal, check, describe_machine, keep_memory, median_ratio, take_turns
from search_overhead import ROOT, draw_images

GOAL = 1.8
SIZES = dict(resnet20=(32, 32), resnet50=(384, 128))
GPU_IMAGES = dict(resnet20=12_800, resnet50=3_200)

RESNET50 = """
model = dict(backbone=dict(_delete_=True, type='ResNet', depth=50), head=dict(in_channels=2048))
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=32, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(batch_size=32, dataset=dict(pipeline=test_pipeline))
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    parser.add_argument('--processes', type=int, nargs='+', default=[1, 2])
    parser.add_argument('--candidates', type=int, default=8, help='B')
    parser.add_argument('--images', type=int, help='of an epoch; default 256, more on a GPU')
    parser.add_argument('--rounds', type=int, default=3, help='of a run, the first not counted')
    parser.add_argument('--repeats', type=int, default=2)
    parser.add_argument('--port', type=int, default=29631)
    return parser.parse_args()


def write_config(folder: Path, model: str) -> Path:
    """The search of a model on the images in a folder."""
    path = folder / f'{model}.py'
    base = ROOT / 'configs/extras/amlfs_resnet20_folder.py'
    path.write_text(f'_base_ = [{str(base)!r}]\n' + (RESNET50 if model == 'resnet50' else ''))
    return path


def round_seconds(config: Path, processes: int, args: argparse.Namespace) -> float:
    """The median round, but for the first, of a search on so many processes."""
    command = ['bash', 'tools/dist_train.sh', str(config), str(processes)]
    options = [
        f'train_cfg.max_epochs={args.rounds}',
        f'custom_hooks.0.num_candidates={args.candidates}',
    ]
    environment = {
        **os.environ,
        'PYTHON': sys.executable,
        'PORT': str(args.port),
        'DATA_ROOT': str(config.parent),
        'OMP_NUM_THREADS': '1',
    }
    if args.device == 'cpu':
        options += [f'{part}_dataloader.num_workers=0' for part in ('train', 'val')]
        environment['CUDA_VISIBLE_DEVICES'] = ''
    with tempfile.TemporaryDirectory() as work_dir:
        command += ['--work-dir', work_dir, '--cfg-options', *options]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(command)}\n{(done.stdout + done.stderr)[-3000:]}')
    lines = re.findall(r'Search epoch \d+/.*; ([\d.]+) s;', done.stdout + done.stderr)
    return median(float(seconds) for seconds in lines[1:])


def measure(model: str, args: argparse.Namespace) -> dict[int, float]:
    """Print the throughput with each number of processes; the speed-ups."""
    images = args.images or (256 if args.device == 'cpu' else GPU_IMAGES[model])
    with tempfile.TemporaryDirectory() as folder:
        draw_images(Path(folder), images, SIZES[model])
        config = write_config(Path(folder), model)
        sides = {n: lambda n=n: round_seconds(config, n, args) for n in args.processes}
        seconds = take_turns(sides, args.repeats)
    first = seconds[args.processes[0]]
    speed_up = {n: median_ratio(first, seconds[n]) for n in args.processes}
    for n in args.processes:
        throughput = args.candidates * images / median(seconds[n])
        row = (model, n, f'{median(seconds[n]):.1f}', f'{throughput:.0f}', f'{speed_up[n]:.2f}')
        print('| ' + ' | '.join(map(str, row)) + ' |', flush=True)
    return speed_up


def mps_runs() -> bool:
    """Whether NVIDIA's multi-process service runs on this machine."""
    return subprocess.run(['pgrep', 'nvidia-cuda-mps'], capture_output=True).returncode == 0


def main() -> int:
    args = parse_args()
    if args.rounds < 2:
        raise SystemExit(f'--rounds {args.rounds}: the first is not counted, give 2 or more')
    torch.set_num_threads(1)
    keep_memory()
    describe_machine('mmengine', 'mmpretrain')
    if args.device == 'cuda':
        print(f'{torch.cuda.device_count()} GPU(s), MPS {"on" if mps_runs() else "off"}')
    print(f'B = {args.candidates}\n')
    print('| model | processes | seconds of a round | images per second | speed-up |')
    print('|---|---|---|---|---|')
    speed_up = measure('resnet20', args)
    if args.device == 'cuda':
        measure('resnet50', args)
        return 0
    cores = os.cpu_count()
    if args.processes[0] != 1 or 2 not in args.processes or cores < 2:
        print(f'\nno goal checked: it is for 1 and 2 processes on 2 cores or more, here {cores}')
        return 0
    return check([Goal('population images per second, 2 processes / 1', speed_up[2], GOAL, True)])


if __name__ == '__main__':
    sys.exit(main())
