"""Searched losses to train with: list, show and draw them, write them for other projects.

    amlfs_mm zoo list
    amlfs_mm zoo show NAME
    amlfs_mm zoo plot NAME --out loss.png
    amlfs_mm zoo export NAME --to torch > loss.py
    amlfs_mm zoo merge FILE [FILE ...] --by mean --smooth 3 --out mine.json

NAME is a loss of the zoo, or a file: the loss_schedule.json of a search, or what `zoo merge` or
`export-loss` wrote. A config takes a loss of the zoo as LossReplayHook(schedule='zoo:NAME'),
AMLFSHead(theta='zoo:NAME') or LossSearchHook(mu_0='zoo:NAME'), and a file by its path.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from amlfs_mm.engine.history.loss_schedule import LossSchedule
from amlfs_mm.engine.history.merged_schedule import merge, merge_to_one_loss
from amlfs_mm.export.standalone_loss import TARGETS, LossTable, loss_table, standalone_loss
from amlfs_mm.search import loss_path, zoo_names
from amlfs_mm.search.loss_file import formulas
from amlfs_mm.search.zoo_files import FOLDER, PREFIX, is_zoo_name
from amlfs_mm.utils.command_line import errors_as_messages, json_file, positive_int
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import read_json, write_json, write_text
from amlfs_mm.visualization.figures import save
from amlfs_mm.visualization.zoo_plots import plot_loss_over_training

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The points of the training that `show` and `plot` take."""


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest='action', required=True)
    actions.add_parser('list', help='the losses of the zoo, one a line')

    name = argparse.ArgumentParser(add_help=False)
    name.add_argument('name', metavar='NAME', help='a loss of the zoo, or a file')
    actions.add_parser('show', parents=[name], help='what a loss is, and what was measured')
    plot = actions.add_parser(
        'plot', parents=[name], help="draw a sample's weight and margin over the training"
    )
    plot.add_argument('--out', type=picture, help='.png or .svg; default: NAME.png')
    export = actions.add_parser('export', parents=[name], help='print a loss as a Python file')
    export.add_argument(
        '--to', choices=TARGETS, default='torch', help='the project that the file is for'
    )

    merging = actions.add_parser('merge', help='make one schedule of those of several searches')
    merging.add_argument(
        'files', nargs='+', metavar='FILE', help="a search's loss_schedule.json, or another one"
    )
    merging.add_argument(
        '--by',
        choices=['mean', 'best'],
        default='mean',
        help='mean of all schedules, or the one of the search with the best reward on D_v',
    )
    merging.add_argument(
        '--smooth',
        type=positive_int,
        default=1,
        metavar='EPOCHS',
        help='moving mean over so many epochs, an odd number',
    )
    merging.add_argument(
        '--constant',
        action='store_true',
        help='one loss for the whole training: the mean over the epochs',
    )
    merging.add_argument('--out', type=json_file, required=True, help='the .json file to write')
    return parser.parse_args(arguments)


def picture(text: str) -> Path:
    """The path of a picture. A type for argparse."""
    path = user_path(text)
    if path.suffix not in ('.png', '.svg'):
        raise argparse.ArgumentTypeError(f'must end in .png or .svg, got {text!r}')
    return path


def read_metafile() -> dict[str, dict]:
    """What is known of each loss of the zoo, by its name."""
    content = yaml.safe_load((FOLDER / 'metafile.yml').read_text(encoding='utf-8'))
    return {entry['Name']: entry for entry in content['Losses']}


def find(name: str) -> tuple[Path, dict]:
    """The file of a loss, and its entry in the zoo's metafile; a file of one's own has none.

    Raises:
        FileNotFoundError: There is neither a loss of the zoo nor a file of this name.
    """
    bare = name[len(PREFIX) :] if is_zoo_name(name) else name
    if bare in zoo_names():
        return loss_path(PREFIX + bare), read_metafile()[bare]
    path = user_path(name)
    if is_zoo_name(name) or not path.is_file():
        raise FileNotFoundError(
            f'{name!r} is neither a loss of the zoo ({", ".join(zoo_names()) or "it has none"}) '
            'nor a file'
        )
    return path, {}


def read_table(path: Path) -> LossTable:
    """The losses in a file.

    Raises:
        ValueError: The file holds none.
    """
    content = read_json(path)
    if not isinstance(content, dict) or 'search_space' not in content:
        raise ValueError(f'{path} is neither a loss nor a loss schedule')
    return loss_table(str(path), content)


def describe(entry: dict) -> str:
    """The entry of a metafile as text."""
    return yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=96).strip()


def list_losses() -> None:
    """Print the losses of the zoo."""
    about = read_metafile()
    width = max(map(len, about), default=0)
    for name in zoo_names():
        print(f'{name:{width}}  {about[name]["Task"]}')


def show(name: str) -> None:
    """Print what is known of a loss, and its formulas."""
    path, entry = find(name)
    table = read_table(path)
    if entry:
        print(describe(entry))
    kind = 'a schedule' if len(table.theta) > 1 else 'a constant loss'
    print(f'{path}: {kind} in {table.space}, {len(table.theta)} x {table.theta.shape[1]} numbers')
    points = POINTS if len(table.theta) > 1 else POINTS[:1]
    for point, theta in zip(points, table.at(points), strict=True):
        print('the loss:' if len(points) == 1 else f'at {point:.0%} of the training:')
        for function, lines in formulas(table.space, theta, table.head['min_slope']).items():
            print(f'  {function} =')
            for line in lines:
                print(f'    {line}')


def plot(name: str, out: Path | None) -> None:
    """Draw a loss."""
    path, _ = find(name)
    table = read_table(path)
    points = POINTS if len(table.theta) > 1 else POINTS[:1]
    figure = plot_loss_over_training(
        table.space,
        table.at(points),
        points,
        f'{path.stem}\n{table.space}',
        table.head['min_slope'],
    )
    print(f'Written: {save(figure, out or Path(f"{path.stem}.png"))}')


def export(name: str, target: str) -> None:
    """Print the Python file of a loss."""
    path, entry = find(name)
    title = f'The searched loss {path.stem!r}, for {target}.'
    sys.stdout.write(
        standalone_loss(read_table(path), target, title, describe(entry) if entry else '')
    )


def merge_files(files: Sequence[str], by: str, window: int, constant: bool, out: Path) -> None:
    """Write one schedule of several, or one loss."""
    if constant and window > 1:
        raise ValueError('--constant is the mean over all epochs: leave out --smooth')
    schedules = [LossSchedule.read(file) for file in files]
    if constant:
        content = merge_to_one_loss(schedules, by)
        write_json(out, content)
        print(f'Written: {out}')
        return
    content = merge(schedules, by, window)
    epochs = ',\n  '.join(json.dumps(epoch) for epoch in content.pop('epochs'))
    head = json.dumps(content, indent=1)[:-2]
    write_text(out, f'{head},\n "epochs": [\n  {epochs}\n ]\n}}\n')
    print(f'Written: {out}')


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        if args.action == 'list':
            list_losses()
        elif args.action == 'show':
            show(args.name)
        elif args.action == 'plot':
            plot(args.name, args.out)
        elif args.action == 'export':
            export(args.name, args.to)
        else:
            merge_files(args.files, args.by, args.smooth, args.constant, args.out)
