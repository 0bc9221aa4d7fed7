"""Draw the figures of the paper, of a search, and of a benchmark, each as PNG and SVG.

    amlfs_mm figures losses                     # Fig. 1: known losses, approximated
    amlfs_mm figures search WORK_DIR            # Fig. 3: mu; also rewards, loss,
                                                # candidates and intervals
    amlfs_mm figures gradients CONFIG CHECKPOINT [CONFIG CHECKPOINT ...]   # Fig. 4
    amlfs_mm figures gains RESULTS.jsonl [RESULTS.jsonl ...]   # gain over plain softmax by data set
    amlfs_mm figures curves RESULTS.jsonl                # the metric on D_v by epoch

`search` also takes a checkpoint: it draws the search up to it. The grey band shows what random
rewards do to mu: simulated with the policy of the run or, with --null-runs, from finished searches.
`gradients` runs the training data through the model of each checkpoint, in training mode. `gains`
and `curves` read what `amlfs_mm benchmark --out` writes, a file for each data set. Rows have the
names of configs without that of the data set: `amlfs` is `amlfs_mlp_fashion` beside
`baseline_mlp_fashion`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.device import get_device

from amlfs_mm.analysis import (
    Run,
    drift_without_signal,
    find_runs,
    measure_gradients,
    read_results,
    read_run,
)
from amlfs_mm.analysis.benchmark.gains import curves_of, gains_over, metric_of
from amlfs_mm.analysis.report.pictures import pictures_of_search
from amlfs_mm.search import SearchSpace
from amlfs_mm.utils.command_line import errors_as_messages, positive_int
from amlfs_mm.utils.paths import user_path
from amlfs_mm.visualization import (
    plot_gains,
    plot_gradients,
    plot_known_losses,
    plot_validation,
)
from amlfs_mm.visualization.figures import save_both


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    out = argparse.ArgumentParser(add_help=False)
    out.add_argument(
        '--out-dir', type=user_path, default=Path('figures'), help='where the pictures go'
    )
    kinds = parser.add_subparsers(dest='kind', required=True)

    losses = kinds.add_parser('losses', parents=[out], help='Fig. 1: known losses')
    losses.add_argument('--num-intervals', type=int, default=6, help='number of intervals M')
    losses.add_argument('--scale', type=float, default=14.0, help='scale s of the margin losses')
    losses.add_argument(
        '--num-classes', type=int, default=10, help='number of classes C of the margin losses'
    )

    search = kinds.add_parser('search', parents=[out], help='Fig. 3 and other pictures of a search')
    search.add_argument('run', type=user_path, metavar='WORK_DIR', help='or a checkpoint in one')
    search.add_argument(
        '--epoch', type=positive_int, help='epoch of the candidates to draw; default: the last'
    )
    search.add_argument(
        '--null-runs',
        type=user_path,
        nargs='+',
        default=[],
        metavar='WORK_DIR',
        help='searches with random rewards',
    )

    gradients = kinds.add_parser('gradients', parents=[out], help='Fig. 4: gradients')
    gradients.add_argument('pairs', nargs='+', metavar='CONFIG CHECKPOINT')
    gradients.add_argument('--names', nargs='+', help="names of the models; default: the configs'")
    gradients.add_argument(
        '--max-samples', type=positive_int, help='number of training images; default: all'
    )
    gradients.add_argument(
        '--device',
        default=get_device(),
        help='where the models run; default: the GPU if there is one',
    )

    gains = kinds.add_parser('gains', parents=[out], help='gain over plain softmax by data set')
    gains.add_argument('files', nargs='+', type=user_path, metavar='RESULTS.jsonl')
    gains.add_argument('--reference', default='baseline', help='what the gain is over')
    gains.add_argument('--rows', nargs='+', metavar='NAME', help='what to draw; default: all')

    curves = kinds.add_parser('curves', parents=[out], help='metric on D_v by epoch')
    curves.add_argument('file', type=user_path, metavar='RESULTS.jsonl')
    curves.add_argument('--rows', nargs='+', metavar='NAME', help='what to draw; default: all')
    curves.add_argument('--metric', help='metric on D_v; default: that of the test')
    return parser.parse_args(arguments)


def draw_losses(args: argparse.Namespace) -> dict:
    """Fig. 1."""
    space = SearchSpace(args.num_intervals)
    return dict(known_losses=plot_known_losses(space, args.scale, args.num_classes))


def draw_search(args: argparse.Namespace) -> dict:
    """Fig. 3 and the other pictures of a search."""
    run = read_run(args.run)
    if not run.records:
        raise ValueError(f'{args.run} holds no search: it has no loss_search.jsonl')
    null = drift_without_signal(run, find_runs(args.null_runs))
    pictures = pictures_of_search(run, null, find_record(run, args.epoch))
    return {picture.name: picture.plot(2) for picture in pictures}


def find_record(run: Run, epoch: int | None) -> dict:
    """The round that an epoch belongs to; the last one by default."""
    if epoch is None:
        return run.records[-1]
    for record in run.records:
        if record['first_epoch'] <= epoch <= record['epoch']:
            return record
    last = run.records[-1]['epoch']
    raise ValueError(f'the search has epochs 1 to {last}, got --epoch {epoch}')


def draw_gradients(args: argparse.Namespace) -> dict:
    """Fig. 4."""
    if len(args.pairs) % 2:
        raise ValueError('give a CHECKPOINT after each CONFIG')
    paths = [str(user_path(path)) for path in args.pairs]
    pairs = list(zip(paths[::2], paths[1::2], strict=True))
    names = args.names or [Path(config).stem for config, _ in pairs]
    if len(set(names)) < len(names) or len(names) != len(pairs):
        raise ValueError(f'{len(pairs)} models need as many different --names, got {names}')
    collected = {
        name: measure_gradients(*pair, args.device, args.max_samples)
        for name, pair in zip(names, pairs, strict=True)
    }
    return dict(gradients=plot_gradients(collected))


def draw_gains(args: argparse.Namespace) -> dict:
    """The gain over a reference, by data set; a data set need not have all rows."""
    files: dict[str, Path] = {}
    for file in args.files:
        if file.stem in files:
            raise ValueError(
                f'{files[file.stem]} and {file} would both be the data set {file.stem!r}: give '
                'the files different names'
            )
        files[file.stem] = file
    gains = {name: gains_over(read_results(file), args.reference) for name, file in files.items()}
    if args.rows:
        names = list(dict.fromkeys(name for found in gains.values() for name in found))
        if unknown := [row for row in args.rows if row not in names]:
            raise ValueError(f'no results of {unknown}; there are {names}')
        gains = {
            data: {row: found[row] for row in args.rows if row in found}
            for data, found in gains.items()
        }
    return dict(gains=plot_gains(gains, args.reference))


def draw_curves(args: argparse.Namespace) -> dict:
    """The metric on D_v by epoch, of one data set."""
    results = read_results(args.file)
    metric = args.metric or metric_of(results)
    return {
        f'curves_{args.file.stem}': plot_validation(curves_of(results, metric, args.rows), metric)
    }


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    draw = dict(
        losses=draw_losses,
        search=draw_search,
        gradients=draw_gradients,
        gains=draw_gains,
        curves=draw_curves,
    )[args.kind]
    with errors_as_messages():
        for name, figure in draw(args).items():
            for path in save_both(figure, args.out_dir, name):
                print(path)
