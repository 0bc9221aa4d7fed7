"""Train and test configs over seeds, and compare them: a Markdown table.

    amlfs_mm benchmark CONFIG [CONFIG ...] --seeds 0 1 2   # run what is missing
    amlfs_mm benchmark WORK_DIR [WORK_DIR ...]             # only the table
    amlfs_mm benchmark RESULTS.jsonl [...]                 # of what --out wrote

Each CONFIG is trained once per seed in WORK_DIR/<config>_seed<n>/, and its last checkpoint is
tested, unless the metrics of the test are there already. After an interruption the same command
goes on. A folder that holds a run with other settings is refused. The result of a search does not
depend on its number of processes: many runs take the least time with `--processes 1 --jobs CORES`.
A WORK_DIR is one run, or a folder of runs.

Other models of the same runs have rows of their own: the best epoch on D_v (`--best-epoch`), and
what a search with control=True keeps. `--grid BASELINE` adds the tuned grid as a control: for each
seed, the baseline is trained with B static losses, as many models as a search with B candidates
trains, and the best one on D_v is tested.

Each row of the table is a config; runs that differ in the seed alone are one config. Each control
has a column with the row's difference to it, paired by seed, with its 95 % t-interval and the
p-value of the t-test. The p-values are corrected for the number of comparisons in the table (Holm).
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from mmengine.logging import MMLogger

from amlfs_mm.analysis import (
    Result,
    compare_results,
    describe_convergence,
    group_results,
    measure_convergence,
    rows_as_data,
    tabulate,
    write_results,
)
from amlfs_mm.analysis.benchmark.benchmark_runs import Launcher, Training
from amlfs_mm.analysis.benchmark.find_results import find_results
from amlfs_mm.analysis.benchmark.grid_runs import Grid, plan_grid
from amlfs_mm.utils.command_line import config_file, errors_as_messages, positive_int
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import write_json

TOOLS = Path(__file__).resolve().parents[1] / '.mim' / 'tools'


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'what', nargs='*', type=config_file, metavar='CONFIG_OR_WORK_DIR', help='or RESULTS.jsonl'
    )
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
    parser.add_argument('--metric', default='accuracy/top1', help='metric of the test and on D_v')
    parser.add_argument(
        '--best-epoch',
        action='store_true',
        help='keep and test the best epoch on D_v of each run, too; measures D_v in every epoch',
    )
    parser.add_argument(
        '--grid',
        nargs='+',
        type=config_file,
        default=[],
        metavar='BASELINE',
        help='configs of plain softmax to train with a grid of static losses',
    )
    parser.add_argument(
        '--grid-size',
        nargs='+',
        type=positive_int,
        default=[8],
        metavar='B',
        help='number of losses in a grid; several numbers: several grids',
    )
    parser.add_argument(
        '--controls',
        nargs='+',
        metavar='NAME',
        help='names of the rows to compare with; default: last epochs of all configs but the last',
    )
    parser.add_argument(
        '--rows', nargs='+', metavar='NAME', help='names of the rows to show; default: all'
    )
    parser.add_argument(
        '--convergence',
        action='store_true',
        help='also print the trend on D_v over the last fifth of the epochs',
    )
    parser.add_argument('--out', type=user_path, metavar='RESULTS.jsonl', help='write all results')
    parser.add_argument('--json', type=user_path, metavar='FILE', help='write the table as JSON')
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings of all runs'
    )
    args = parser.parse_args(arguments)
    if not args.what and not args.grid:
        parser.error('give a config, a work dir, or --grid BASELINE')
    return args


def run_missing(configs: list[Path], args: argparse.Namespace) -> list[Path]:
    """Run what is missing, a few runs at a time; the work dirs of all configs, grids and seeds.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: Two runs would share a work dir, or one holds a run with other settings.
        ChildProcessError: A run failed.
    """
    keep_best = args.metric if args.best_epoch else None
    options = tuple(args.cfg_options)
    # All configs of a seed, then the next seed: a benchmark that is cut short leaves whole seeds.
    trainings = [
        Training(config, seed, args.work_dir / f'{config.stem}_seed{seed}', options, keep_best)
        for seed in args.seeds
        for config in configs
    ]
    grids = [
        plan_grid(Training(config, seed, args.work_dir, options, args.metric), size)
        for seed in args.seeds
        for config in args.grid
        for size in args.grid_size
    ]
    places = [each.work_dir for each in (*trainings, *grids)]
    if twice := [place.name for place, count in Counter(places).items() if count > 1]:
        raise ValueError(
            f'{args.work_dir} would hold several runs in one folder: {", ".join(twice)}. Give each '
            'seed once, and each of several configs of one name its own --work-dir'
        )
    for each in (*trainings, *grids):
        each.check()
    run_all(trainings, grids, args)
    return sorted(places, key=lambda place: place in [grid.work_dir for grid in grids])


def run_all(trainings: list[Training], grids: list[Grid], args: argparse.Namespace) -> None:
    """Train and test, seed by seed."""
    launcher = Launcher(TOOLS, args.processes, args.jobs)
    done = []
    for seed in args.seeds:
        for training in (each for each in trainings if each.seed == seed):
            done.append(launcher.submit(partial(train_and_test, training, launcher)))
        shared: dict[Path, Future] = {}  # grids of several sizes have trainings in common
        for grid in (each for each in grids if each.seed == seed):
            for training in grid.trainings:
                if training.work_dir not in shared:
                    shared[training.work_dir] = launcher.submit(partial(train, training, launcher))
            # These begin before the choice does: it waits for running jobs alone.
            waited = [shared[training.work_dir] for training in grid.trainings]
            done += waited
            done.append(launcher.submit(partial(grid.finish, launcher, waited)))
    launcher.wait(done)


def train(training: Training, launcher: Launcher) -> None:
    """Train, and say where the log is."""
    if not training.is_trained:
        print(f'{training.work_dir.name}: log in {training.work_dir}/console.log', flush=True)
        launcher.train(training)


def train_and_test(training: Training, launcher: Launcher) -> None:
    """Train one run and test its models, unless that is done."""
    train(training, launcher)
    launcher.test_all(training)


def default_controls(results: list[Result]) -> list[str]:
    """The names of the last epochs' results of all configs but the last."""
    last = [result for result in results if result.model == 'last']
    return [name for name in group_results(last) if last[-1].name != name]


def describe_choices(results: list[Result]) -> str:
    """What each grid, and each search with a control, chose for each seed; empty without any."""
    chosen = group_results(result for result in results if result.choice)
    return '\n'.join(
        f'- {name}, by seed: ' + ', '.join(f'{member.seed}: {member.choice}' for member in members)
        for name, members in chosen.items()
    )


def select_rows(results: list[Result], rows: list[str] | None) -> list[Result]:
    """The results of some rows, in their order; all by default.

    Raises:
        ValueError: There is no such row.
    """
    if rows is None:
        return results
    groups = group_results(results)
    if unknown := [name for name in rows if name not in groups]:
        raise ValueError(f'no results of the rows {unknown}; there are {list(groups)}')
    return [result for name in rows for result in groups[name]]


def describe(results: list[Result], args: argparse.Namespace) -> str:
    """The tables in Markdown: the comparison, what was chosen on D_v, and the trends there.

    Raises:
        ValueError: A row or a control is not among the results, or a test lacks the metric.
    """
    shown = select_rows(results, args.rows)
    controls = args.controls or default_controls(shown)
    parts = [tabulate(compare_results(shown, args.metric, controls), controls)]
    if choices := describe_choices(shown):
        parts.append(f'Chosen on D_v:\n\n{choices}')
    if args.convergence and (trends := measure_convergence(shown, args.metric)):
        parts.append(f'{args.metric} on D_v:\n\n{describe_convergence(trends)}')
    return '\n\n'.join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    # MMEngine says for each config that it reads which environment variables stand in it.
    MMLogger.get_current_instance().setLevel('WARNING')
    with errors_as_messages():
        configs = [path for path in args.what if path.suffix == '.py']
        paths = [path for path in args.what if path.suffix != '.py']
        paths += run_missing(configs, args)
        results = find_results(paths, args.metric)
        text = describe(results, args)
        if args.out:
            write_results(results, args.out)
        if args.json:
            shown = select_rows(results, args.rows)
            rows = compare_results(shown, args.metric, args.controls or default_controls(shown))
            write_json(args.json, rows_as_data(rows))
    print(f'\nTest {args.metric}: mean over seeds ± 95 % t-interval.')
    print('Differences are paired by seed; p is of the t-test, corrected for the number of')
    print(f'comparisons in the table (Holm).\n\n{text}')
