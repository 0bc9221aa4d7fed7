"""Train and test configs over seeds, and compare them: a Markdown table.

    amlfs_mm benchmark CONFIG [CONFIG ...] --seeds 0 1 2   # run what is missing
    amlfs_mm benchmark WORK_DIR [WORK_DIR ...]             # only the table

Each CONFIG is trained once per seed in WORK_DIR/<config>_seed<n>/, and its last checkpoint is
tested, unless the metrics of the test are there already. The result of a search does not depend on
its number of processes: many runs take the least time with `--processes 1 --jobs CORES`. A WORK_DIR
is one run, or a folder of runs.

Each row of the table is a config; runs that differ in the seed alone are one config. Each control
has a column with the row's difference to it, paired by seed, and whether the 95 % t-interval of the
difference excludes 0.
"""

import argparse
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from threading import Event
from typing import TextIO

from mmengine.config import Config

from amlfs_mm.analysis import Row, compare_groups, find_runs, group_runs, search_options
from amlfs_mm.engine.state.checkpoints import find_checkpoints
from amlfs_mm.utils.command_line import config_file, errors_as_messages, positive_int
from amlfs_mm.utils.paths import user_path

TOOLS = Path(__file__).resolve().parents[1] / '.mim' / 'tools'


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('what', nargs='+', type=config_file, metavar='CONFIG_OR_WORK_DIR')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='seeds of the configs')
    parser.add_argument(
        '--processes', type=positive_int, default=2, help='number of processes of a search'
    )
    parser.add_argument('--jobs', type=positive_int, default=1, help='number of runs at a time')
    parser.add_argument(
        '--work-dir',
        type=user_path,
        default=Path('work_dirs/benchmark'),
        help='where the work dirs of the runs go',
    )
    parser.add_argument('--metric', default='accuracy/top1', help='metric of the test')
    parser.add_argument(
        '--controls',
        nargs='+',
        metavar='NAME',
        help='names of the configs to compare with; default: all but the last',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings of all runs'
    )
    return parser.parse_args(arguments)


def run_missing(configs: list[Path], args: argparse.Namespace) -> list[Path]:
    """Run what is missing, a few runs at a time; the work dirs of all configs and seeds.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: Two runs would share a work dir.
        SystemExit: A run failed.
    """
    for config in configs:
        if not config.is_file():
            raise FileNotFoundError(f'there is no config {config}')
    # All configs of a seed, then the next seed: a benchmark that is cut short leaves whole seeds.
    runs = list(product(args.seeds, configs))
    places = Counter(f'{config.stem}_seed{seed}' for seed, config in runs)
    if twice := [place for place, count in places.items() if count > 1]:
        raise ValueError(
            f'{args.work_dir} would hold several runs in one folder: {", ".join(twice)}. Give each '
            'seed once, and each of several configs of one name its own --work-dir'
        )
    failed = Event()

    def make(run: tuple[int, Path]) -> Path | None:
        if failed.is_set():  # start nothing more, wait for what runs
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
    """Train and test one run, unless its test results are there already; its work dir."""
    work_dir = args.work_dir / f'{config.stem}_seed{seed}'
    out = work_dir / 'test.json'
    if out.exists():
        return work_dir
    work_dir.mkdir(parents=True, exist_ok=True)
    # A run without a search trains one model: on one process, so that it is the same anywhere.
    is_search = search_options(Config.fromfile(config)) is not None
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
    """Run a command with its output in a file; exit if it fails."""
    environment = {'PORT': free_port(), **os.environ, 'PYTHON': sys.executable}
    done = subprocess.run(command, stdout=console, stderr=subprocess.STDOUT, env=environment)
    if done.returncode:
        raise SystemExit(f'{" ".join(map(str, command))} failed: see {console.name}')


def free_port() -> str:
    """A TCP port of this machine that nothing uses."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return str(sock.getsockname()[1])


def tabulate(rows: list[Row], controls: list[str]) -> str:
    """The comparison as a Markdown table."""
    header = ['config', 'candidate-epochs', 'images', 'seeds', 'test']
    header += [f'minus {control}' for control in controls]
    lines = [header, ['---'] * len(header)]
    for row in rows:
        seeds, test = (row.test.n, row.test) if row.test else (0, 'not tested')
        differences = ['' if row.differences[c] is None else row.differences[c] for c in controls]
        lines.append([row.name, row.candidate_epochs, row.images, seeds, test, *differences])
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        configs = [path for path in args.what if path.suffix == '.py']
        directories = [path for path in args.what if path.suffix != '.py']
        directories += run_missing(configs, args)
        groups = group_runs(find_runs(directories))
        controls = args.controls or list(groups)[:-1]
        rows = compare_groups(groups, args.metric, controls)
    print(f'\nTest {args.metric} of the last epoch: mean over seeds ± 95 % t-interval.')
    print('Differences are paired by seed; p is of the t-test, not corrected for multiple tests.\n')
    print(tabulate(rows, controls))
