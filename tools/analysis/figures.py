"""The figures of the paper and of a search, each as PNG and SVG.

    python tools/analysis/figures.py losses                     # Fig. 1: known losses, approximated
    python tools/analysis/figures.py search WORK_DIR            # Fig. 3: mu; and rewards, the loss,
                                                                # the population, the intervals
    python tools/analysis/figures.py gradients CONFIG CHECKPOINT [CONFIG CHECKPOINT ...]   # Fig. 4

`search` takes a checkpoint in place of its work dir too: the search up to it. Its grey band is
what random rewards do to mu: simulated with the run's own policy, or, with --null-runs, what such
runs did. `gradients` runs the training data through each checkpoint's model, in training
mode.
"""

import argparse
from pathlib import Path

import torch

import amlfs_mm  # noqa: F401
from amlfs_mm.analysis import (
    Run,
    drift_without_signal,
    find_runs,
    measure_gradients,
    read_run,
)
from amlfs_mm.search import SearchSpace
from amlfs_mm.utils.paths import user_path
from amlfs_mm.visualization import pictures_of_search, plot_gradients, plot_known_losses
from amlfs_mm.visualization.figures import save_both


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    out = argparse.ArgumentParser(add_help=False)
    out.add_argument('--out-dir', type=user_path, default=Path('figures'))
    kinds = parser.add_subparsers(dest='kind', required=True)

    losses = kinds.add_parser('losses', parents=[out], help='Fig. 1')
    losses.add_argument('--num-intervals', type=int, default=6, help='M')
    losses.add_argument('--scale', type=float, default=14.0, help='s of the margin losses')
    losses.add_argument('--num-classes', type=int, default=10, help='C of the margin losses')

    search = kinds.add_parser('search', parents=[out], help='Fig. 3 and more')
    search.add_argument('run', type=user_path, metavar='WORK_DIR', help='or a checkpoint in it')
    search.add_argument('--epoch', type=int, help="whose population is drawn; default the last's")
    search.add_argument(
        '--null-runs',
        type=user_path,
        nargs='+',
        default=[],
        metavar='WORK_DIR',
        help='random rewards',
    )

    gradients = kinds.add_parser('gradients', parents=[out], help='Fig. 4')
    gradients.add_argument('pairs', type=user_path, nargs='+', metavar='CONFIG CHECKPOINT')
    gradients.add_argument('--names', nargs='+', help='of the models; default those of the configs')
    gradients.add_argument('--max-samples', type=int, help='training images; default all')
    gradients.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args()


def draw_losses(args: argparse.Namespace) -> dict:
    space = SearchSpace(args.num_intervals)
    return dict(known_losses=plot_known_losses(space, args.scale, args.num_classes))


def draw_search(args: argparse.Namespace) -> dict:
    run = read_run(args.run)
    if not run.records:
        raise SystemExit(f'figures.py: {args.run} holds no search (no loss_search.jsonl)')
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
    raise SystemExit(f'figures.py: the search has epochs 1 to {last}, got --epoch {epoch}')


def draw_gradients(args: argparse.Namespace) -> dict:
    if len(args.pairs) % 2:
        raise SystemExit('figures.py: give a CHECKPOINT after each CONFIG')
    pairs = list(zip(args.pairs[::2], args.pairs[1::2], strict=True))
    names = args.names or [Path(config).stem for config, _ in pairs]
    if len(set(names)) < len(names) or len(names) != len(pairs):
        raise SystemExit(f'figures.py: {len(pairs)} models need as many different --names: {names}')
    collected = {
        name: measure_gradients(*pair, args.device, args.max_samples)
        for name, pair in zip(names, pairs, strict=True)
    }
    return dict(gradients=plot_gradients(collected))


def main() -> None:
    args = parse_args()
    draw = dict(losses=draw_losses, search=draw_search, gradients=draw_gradients)[args.kind]
    try:
        figures = draw(args)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f'figures.py: {error}') from error
    for name, figure in figures.items():
        for path in save_both(figure, args.out_dir, name):
            print(path)


if __name__ == '__main__':
    main()
