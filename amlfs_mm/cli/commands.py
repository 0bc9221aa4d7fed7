"""The subcommands of ``amlfs_mm``, in one table. Their modules are imported when called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from amlfs_mm.utils.command_line import errors_as_messages
from amlfs_mm.version import __version__


class Command(NamedTuple):
    """A subcommand.

    ``module`` has the function ``main``. Without an argument it reads ``sys.argv``, as argparse
    does. ``sys.argv[0]`` is then ``amlfs_mm <name>``.
    """

    module: str
    help: str


COMMANDS = {
    'train': Command('amlfs_mm.cli.train', 'train a config: a baseline or a loss search'),
    'test': Command('amlfs_mm.cli.test', "evaluate a checkpoint on a config's test split"),
    'benchmark': Command('amlfs_mm.cli.benchmark', 'train and test configs over seeds, compare'),
    'tune-baseline': Command(
        'amlfs_mm.cli.tune_baseline', 'learning rate and weight decay of a baseline, by D_v'
    ),
    'new': Command('amlfs_mm.cli.new', 'write the config of a search on a baseline'),
    'report': Command('amlfs_mm.cli.report', 'write one HTML file about one or more runs'),
    'figures': Command('amlfs_mm.cli.figures', 'figures of the paper, a search, a benchmark'),
    'export': Command('amlfs_mm.cli.export_onnx', 'export the model of a checkpoint to ONNX'),
    'export-loss': Command('amlfs_mm.cli.export_loss', 'print the loss that a search found'),
    'label-errors': Command(
        'amlfs_mm.cli.label_errors', 'rank training samples by how doubtful their labels are'
    ),
    'zoo': Command('amlfs_mm.cli.zoo', 'searched losses: list, show, plot, export, merge'),
    'show-rankings': Command(
        'amlfs_mm.cli.show_rankings', 'draw the best and worst queries, and the CMC curve'
    ),
    'megaface': Command('amlfs_mm.cli.megaface', "MegaFace's rank-k rates from feature files"),
    'align-faces': Command('amlfs_mm.cli.align_faces', 'cut faces out of photos, aligned'),
    'convert-face-records': Command(
        'amlfs_mm.cli.convert_face_records', "a folder of faces to insightface's records, or back"
    ),
    'make-face-list': Command('amlfs_mm.cli.make_face_list', "a list of images as MegaFace's"),
    'make-synthetic-market': Command(
        'amlfs_mm.cli.make_synthetic_market', "draw pedestrians in Market-1501's layout"
    ),
    'make-icon-identities': Command(
        'amlfs_mm.cli.make_icon_identities', "write icons in Market-1501's layout"
    ),
    'make-character-identities': Command(
        'amlfs_mm.cli.make_character_identities', "draw characters in Market-1501's layout"
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a subcommand with the arguments that follow its name."""
    name, rest = parse_args(arguments)
    command = COMMANDS[name]
    sys.argv = [f'amlfs_mm {name}', *rest]  # argparse takes the program's name from there
    with errors_as_messages():  # such as a package that this command needs and that is missing
        module = import_module(command.module)
    module.main()


def parse_args(arguments: Sequence[str] | None) -> tuple[str, list[str]]:
    """The name of the subcommand and its own arguments."""
    width = max(map(len, COMMANDS))
    table = '\n'.join(f'  {name:{width}}  {command.help}' for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog='amlfs_mm',
        description=f'Loss function search for MMEngine. Commands:\n\n{table}',
        epilog='amlfs_mm COMMAND --help shows the options of a command.',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'amlfs_mm {__version__}')
    parser.add_argument('command', choices=COMMANDS, metavar='COMMAND', help='one of those above')
    parser.add_argument(
        'arguments', nargs=argparse.REMAINDER, metavar='...', help='options of the command'
    )
    args = parser.parse_args(arguments)
    return args.command, args.arguments
