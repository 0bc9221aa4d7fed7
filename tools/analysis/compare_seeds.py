"""Train and test configs over several seeds, and compare them at the compute they used.

Each run is `tools/dist_train.sh` and `tools/test.py` on its last checkpoint, under
WORK_DIR/<config>_seed<n>/; runs whose test metrics are there already are not repeated. Prints a
Markdown table: the mean over seeds of a test metric with a 95 % t-interval, and the paired
difference of the last config to every other.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import numpy as np
from mmengine.config import Config
from scipy import stats

import amlfs_mm  # noqa: F401  (cures for the OpenMMLab stack come before a config is read)
from amlfs_mm.engine.runner import find_checkpoints

TOOLS = Path(__file__).resolve().parent.parent


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('configs', nargs='+', type=Path)
    parser.add_argument('--seeds', nargs='+', type=int, default=[0])
    parser.add_argument('--processes', type=int, default=2, help='of each search')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/compare_seeds'))
    parser.add_argument('--metric', default='accuracy/top1')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='for all runs'
    )
    return parser.parse_args()


def train_and_test(config: Path, seed: int, args: argparse.Namespace) -> float:
    """The test metric of one run."""
    work_dir = args.work_dir / f'{config.stem}_seed{seed}'
    out = work_dir / 'test.json'
    if not out.exists():
        work_dir.mkdir(parents=True, exist_ok=True)
        # A baseline is one model: on one process, as on any other machine.
        processes = args.processes if is_search(config) else 1
        options = ['--cfg-options', f'randomness.seed={seed}', *args.cfg_options]
        print(f'{config.stem}, seed {seed}: log in {work_dir}/console.log', flush=True)
        with open(work_dir / 'console.log', 'w') as console:
            train = [
                'bash',
                TOOLS / 'dist_train.sh',
                config,
                str(processes),
                '--work-dir',
                work_dir,
            ]
            run([*train, *options], console)
            test = [sys.executable, TOOLS / 'test.py', config, find_checkpoints(work_dir)[0]]
            run([*test, '--out', out, '--work-dir', work_dir / 'test', *options], console)
    metrics = json.loads(out.read_text())
    if args.metric not in metrics:
        raise SystemExit(f'{out} has no metric {args.metric!r}; it has {sorted(metrics)}')
    return metrics[args.metric]


def run(command: list, console: TextIO) -> None:
    environment = {'PORT': free_port(), **os.environ, 'PYTHON': sys.executable}
    done = subprocess.run(command, stdout=console, stderr=subprocess.STDOUT, env=environment)
    if done.returncode:
        raise SystemExit(f'{" ".join(map(str, command))} failed: see {console.name}')


def free_port() -> str:
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return str(sock.getsockname()[1])


def is_search(config: Path) -> bool:
    hooks = Config.fromfile(config).get('custom_hooks', [])
    return any('num_candidates' in hook for hook in hooks)


def compute_of(config: Path, args: argparse.Namespace) -> dict:
    """What a run paid for, the first seed's."""
    path = args.work_dir / f'{config.stem}_seed{args.seeds[0]}' / 'compute.json'
    if not path.is_file():
        raise SystemExit(f'{path} is missing: an older run. Remove its directory to run it again')
    return json.loads(path.read_text())


def interval(values: np.ndarray) -> str:
    """Mean and half-width of its 95 % t-interval."""
    mean = values.mean()
    if len(values) < 2:
        return f'{mean:.2f}'
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f'{mean:.2f} ± {half:.2f}'


def main() -> None:
    args = parse_args()
    results = {
        config: np.array([train_and_test(config, seed, args) for seed in args.seeds])
        for config in args.configs
    }
    last = args.configs[-1]
    n = len(args.seeds)
    seeds = 'one seed' if n == 1 else f'{n} seeds, mean ± 95 % interval'
    print(f'\nTest {args.metric} of the last epoch, {seeds}:')
    print(f'\n| config | candidate-epochs | images | test | {last.stem} minus it |')
    print('|---|---|---|---|---|')
    for config, values in results.items():
        difference = '' if config == last else interval(results[last] - values)
        compute = compute_of(config, args)
        cost = f'{compute["candidate_epochs"]} | {compute["images"]}'
        print(f'| {config.stem} | {cost} | {interval(values)} | {difference} |')


if __name__ == '__main__':
    main()
