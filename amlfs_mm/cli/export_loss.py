"""Print the loss that a search found as formulas, and write it as JSON for other trainings.

    amlfs_mm export-loss work_dirs/amlfs_resnet20_digits --what winner --epoch 12

A config uses the file as AMLFSHead(theta='loss.json') or LossSearchHook(mu_0='loss.json').
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from amlfs_mm.analysis.runs.work_dirs import read_search_state
from amlfs_mm.engine.history.loss_schedule import LossSchedule
from amlfs_mm.engine.state import checkpoints
from amlfs_mm.registry import search_space_of
from amlfs_mm.search import find_loss, formulas
from amlfs_mm.search.head_options import head_options
from amlfs_mm.utils.command_line import errors_as_messages, json_file, positive_int
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import read_json, write_json


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'source',
        type=user_path,
        help="a search's work dir or checkpoint, a loss_schedule.json, or a loss file",
    )
    parser.add_argument(
        '--epoch', type=positive_int, help='epoch of the search, from 1; default: the last'
    )
    parser.add_argument(
        '--what',
        choices=['mu', 'winner'],
        default='mu',
        help="mean of the distribution after the epoch, or the epoch's best candidate",
    )
    parser.add_argument(
        '--out',
        type=json_file,
        help='.json file to write; default: loss_<what>_epoch_<n>.json beside the source',
    )
    return parser.parse_args(arguments)


def find_source(source: Path) -> Path:
    """The file to read; of a work dir its schedule, or during a search the newest checkpoint.

    Raises:
        FileNotFoundError: There is none.
    """
    if source.is_file():
        return source
    if not source.is_dir():
        raise FileNotFoundError(f'there is no file {source}')
    found = [path for path in [source / 'loss_schedule.json'] if path.is_file()]
    found += checkpoints.find_checkpoints(source)
    if not found:
        raise FileNotFoundError(f'{source} has neither loss_schedule.json nor checkpoints')
    return found[0]


def read(path: Path) -> dict:
    """``search_space`` and ``theta``, or ``epochs`` with ``epoch``, ``mu``, ``theta`` each.

    It also has what :func:`head_options` reads, if the file has it.

    Raises:
        ValueError: The file is damaged, or holds no loss and no search.
    """
    return read_loss(path) if path.suffix == '.json' else read_checkpoint(path)


def read_loss(path: Path) -> dict:
    """A loss file or a loss schedule, checked as a training checks it."""
    content = read_json(path)
    if not isinstance(content, dict) or 'search_space' not in content:
        raise ValueError(f'{path} is neither a loss nor a loss schedule')
    if 'theta' in content:
        find_loss(search_space_of(content['search_space']), str(path))
    elif 'epochs' in content:
        LossSchedule(path, content)
    else:
        raise ValueError(f'{path} is neither a loss nor a loss schedule')
    return content


def read_checkpoint(path: Path) -> dict:
    """The epochs of the search that wrote a checkpoint, and its config as text."""
    state = read_search_state(path)
    epochs = [
        dict(
            epoch=epoch,
            mu=record['mu'],
            theta=None if record['best'] is None else record['theta'][record['best']],
        )
        for record in state['records']
        for epoch in range(record['first_epoch'], record['epoch'] + 1)
    ]
    meta = checkpoints.read_checkpoint(path, tensors=False).get('meta', {})
    return dict(search_space=state['search_space'], config=meta.get('cfg'), epochs=epochs)


def choose(content: dict, epoch: int | None, what: str) -> dict:
    """The loss that was asked for: ``what``, ``epoch`` and ``theta``.

    Raises:
        ValueError: There is no such epoch, or it has no winner.
    """
    if 'theta' in content:
        return {key: content.get(key) for key in ('what', 'epoch', 'theta')}
    epochs = {entry['epoch']: entry for entry in content['epochs']}
    epoch = max(epochs) if epoch is None else epoch
    if epoch not in epochs:
        raise ValueError(f'no epoch {epoch}; there are 1 to {len(epochs)}')
    theta = epochs[epoch]['mu' if what == 'mu' else 'theta']
    if theta is None:
        raise ValueError(f'epoch {epoch} has no winner: all of its candidates diverged')
    return dict(what=what, epoch=epoch, theta=theta)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        source = find_source(args.source)
        content = read(source)
        loss = choose(content, args.epoch, args.what)
        space = search_space_of(content['search_space'])
        head = head_options(content)
        lines = formulas(space, torch.tensor(loss['theta']), head['min_slope'])
    print(f'{content["search_space"]}: L = -log tau(p), p the softmax of the target with n t(cos)')
    for name, parts in lines.items():
        print(f'{name} =')
        for part in parts:
            print(f'  {part}')
    out = args.out or source.parent / f'loss_{loss["what"]}_epoch_{loss["epoch"]}.json'
    about = dict(search_space=content['search_space'], head=head, source=str(source))
    with errors_as_messages():
        write_json(out, dict(about, **loss, formulas=lines))
    print(f'Written: {out}')
