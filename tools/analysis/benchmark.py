"""Compare configs over seeds at the compute they used: a Markdown table.

    python tools/analysis/benchmark.py CONFIG [CONFIG ...] --seeds 0 1 2   # run what is missing
    python tools/analysis/benchmark.py WORK_DIR [WORK_DIR ...]             # only the table

A CONFIG is trained with `tools/dist_train.sh` (on one process `tools/train.py`) and its last
checkpoint tested with `tools/test.py`, for each seed under WORK_DIR/<config>_seed<n>/, unless the
test's metrics are there already. A search's result does not depend on its number of processes: many
runs take the least time as `--processes 1 --jobs CORES`. A WORK_DIR is one run, or holds runs. Runs
of one config, seeds aside, are a row; a column for each control has the row's paired difference to
it, and whether the 95 % t-interval leaves out 0.
"""

import argparse
import os
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from threading import Event
from typing import TextIO

from mmengine.config import Config

import amlfs_mm  # noqa: F401  (cures for the OpenMMLab stack come before a config is read)
from amlfs_mm.analysis import Row, compare_groups, find_runs, group_runs
from amlfs_mm.engine.hooks import LossSearchHook
from amlfs_mm.engine.state.checkpoints import find_checkpoints
from amlfs_mm.registry import HOOKS
from amlfs_mm.utils.config_types import resolves_to

TOOLS = Path(__file__).resolve().parent.parent


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('what', nargs='+', type=Path, metavar='CONFIG_OR_WORK_DIR')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='of the configs')
    parser.add_argument('--processes', type=int, default=2, help='of each search')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/benchmark'))
    parser.add_argument('--metric', default='accuracy/top1')
    parser.add_argument(
        '--controls', nargs='+', metavar='NAME', help='config names; default all but the last'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='for all runs'
    )
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error(f'--jobs {args.jobs}: runs at a time, 1 or more')
    return args


def run_missing(configs: list[Path], args: argparse.Namespace) -> list[Path]:
    """The work dirs of all configs and seeds; what is missing is run, a few at a time."""
    # All configs of a seed, then the next seed: a benchmark that is cut short leaves whole seeds.
    runs = list(product(args.seeds, configs))
    places = Counter(f'{config.stem}_seed{seed}' for seed, config in runs)
    if twice := [place for place, count in places.items() if count > 1]:
        raise ValueError(
            f'{args.work_dir} would hold several runs in one folder: {", ".join(twice)}. Give each '
            'seed once, and configs of one name a --work-dir each'
        )
    failed = Event()

    def make(run: tuple[int, Path]) -> Path | None:
        if failed.is_set():  # the benchmark only waits for what runs
            return None
        try:
            return train_and_test(run[1], run[0], args)
        except SystemExit:
            failed.set()
            raise

    with ThreadPoolExecutor(args.jobs) as pool:
        done = list(pool.map(make, runs))
    directories = dict(zip(runs, done, strict=True))
    return [directories[seed, config] for config in configs for seed in args.seeds]


def train_and_test(config: Path, seed: int, args: argparse.Namespace) -> Path:
    """The work dir of a run, which is made if it was not there."""
    work_dir = args.work_dir / f'{config.stem}_seed{seed}'
    out = work_dir / 'test.json'
    if out.exists():
        return work_dir
    work_dir.mkdir(parents=True, exist_ok=True)
    # A run without a search is one model: on one process, as on any other machine.
    hooks = Config.fromfile(config).get('custom_hooks', [])
    is_search = any(resolves_to(hook.get('type'), HOOKS, LossSearchHook) for hook in hooks)
    processes = args.processes if is_search else 1
    options = ['--cfg-options', f'randomness.seed={seed}', *args.cfg_options]
    print(f'{config.stem}, seed {seed}: log in {work_dir}/console.log', flush=True)
    with open(work_dir / 'console.log', 'w') as console:
        train = ['bash', TOOLS / 'dist_train.sh', config, str(processes)]
        if processes == 1:
            train = [sys.executable, TOOLS / 'train.py', config]
        run([*train, '--work-dir', work_dir, *options], console)
        test = [sys.executable, TOOLS / 'test.py', config, find_checkpoints(work_dir)[0]]
        run([*test, '--out', out, '--work-dir', work_dir / 'test', *options], console)
    return work_dir


def run(command: list, console: TextIO) -> None:
    environment = {'PORT': free_port(), **os.environ, 'PYTHON': sys.executable}
    done = subprocess.run(command, stdout=console, stderr=subprocess.STDOUT, env=environment)
    if done.returncode:
        raise SystemExit(f'{" ".join(map(str, command))} failed: see {console.name}')


def free_port() -> str:
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return str(sock.getsockname()[1])


def tabulate(rows: list[Row], controls: list[str]) -> str:
    """The rows in Markdown."""
    header = ['config', 'candidate-epochs', 'images', 'seeds', 'test']
    header += [f'minus {control}' for control in controls]
    lines = [header, ['---'] * len(header)]
    for row in rows:
        seeds, test = (row.test.n, row.test) if row.test else (0, 'not tested')
        differences = ['' if row.differences[c] is None else row.differences[c] for c in controls]
        lines.append([row.name, row.candidate_epochs, row.images, seeds, test, *differences])
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)


def main() -> None:
    args = parse_args()
    try:
        configs = [path for path in args.what if path.suffix == '.py']
        directories = [path for path in args.what if path.suffix != '.py']
        directories += run_missing(configs, args)
        groups = group_runs(find_runs(directories))
        controls = args.controls or list(groups)[:-1]
        rows = compare_groups(groups, args.metric, controls)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f'benchmark.py: {error}') from error
    print(f'\nTest {args.metric} of the last epoch: mean over seeds ± 95 % t-interval.')
    print('Differences are paired by seed, p of the t-test, not corrected for their number.\n')
    print(tabulate(rows, controls))


if __name__ == '__main__':
    main()
