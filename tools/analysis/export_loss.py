"""Print the loss that a search found as formulas, and write it as JSON for other trainings.

python tools/analysis/export_loss.py work_dirs/amlfs_resnet20_digits --what winner --epoch 12

The file goes into a config as AMLFSHead(theta='loss.json') or LossSearchHook(mu_0='loss.json').
"""

import argparse
import json
from pathlib import Path

import torch

import amlfs_mm  # noqa: F401
from amlfs_mm.engine.state.checkpoints import find_checkpoints
from amlfs_mm.registry import search_space_of
from amlfs_mm.search import formulas
from amlfs_mm.utils.atomic_files import atomic_write
from amlfs_mm.utils.paths import user_path


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'source',
        type=user_path,
        help="a search's work dir or checkpoint, a loss_schedule.json, or a loss file",
    )
    parser.add_argument('--epoch', type=int, help='from 1; default: the last')
    parser.add_argument(
        '--what',
        choices=['mu', 'winner'],
        default='mu',
        help="the distribution's mean after the epoch, or the epoch's best candidate",
    )
    parser.add_argument(
        '--out', type=user_path, help='default: loss_<what>_epoch_<n>.json beside it'
    )
    return parser.parse_args()


def find_source(source: Path) -> Path:
    """The file to read: of a work dir its schedule, before a search's end its newest checkpoint."""
    if not source.is_dir():
        return source
    found = [path for path in [source / 'loss_schedule.json'] if path.is_file()]
    found += find_checkpoints(source)
    if not found:
        raise SystemExit(f'export_loss.py: {source} has neither loss_schedule.json nor checkpoints')
    return found[0]


def read(path: Path) -> dict:
    """``search_space`` and ``theta``, or ``epochs`` with ``epoch``, ``mu``, ``theta`` each."""
    if not path.is_file():
        raise SystemExit(f'export_loss.py: there is no file {path}')
    if path.suffix == '.json':
        content = json.loads(path.read_text())
        if 'search_space' not in content or not {'theta', 'epochs'} & set(content):
            raise SystemExit(f'export_loss.py: {path} is neither a loss nor a loss schedule')
        return content
    content = torch.load(path, map_location='cpu', weights_only=True).get('loss_search')
    if content is None:
        raise SystemExit(f"export_loss.py: {path} has no 'loss_search' state: no search wrote it")
    epochs = [
        dict(
            epoch=epoch,
            mu=record['mu'],
            theta=None if record['best'] is None else record['theta'][record['best']],
        )
        for record in content['records']
        for epoch in range(record['first_epoch'], record['epoch'] + 1)
    ]
    return dict(search_space=content['search_space'], epochs=epochs)


def choose(content: dict, epoch: int | None, what: str) -> dict:
    """The loss that was asked for: ``what``, ``epoch`` and ``theta``."""
    if 'theta' in content:
        return {key: content.get(key) for key in ('what', 'epoch', 'theta')}
    epochs = {entry['epoch']: entry for entry in content['epochs']}
    epoch = max(epochs, default=0) if epoch is None else epoch
    if epoch not in epochs:
        raise SystemExit(f'export_loss.py: no epoch {epoch}; there are 1 to {len(epochs)}')
    theta = epochs[epoch]['mu' if what == 'mu' else 'theta']
    if theta is None:
        raise SystemExit(f'export_loss.py: epoch {epoch} has no winner, all candidates diverged')
    return dict(what=what, epoch=epoch, theta=theta)


def main() -> None:
    args = parse_args()
    source = find_source(args.source)
    content = read(source)
    loss = choose(content, args.epoch, args.what)
    space = search_space_of(content['search_space'])
    lines = formulas(space, torch.tensor(loss['theta']))
    print(f'{content["search_space"]}: L = -log tau(p), p the softmax of the target with n t(cos)')
    for name, parts in lines.items():
        print(f'{name} =')
        for part in parts:
            print(f'  {part}')
    out = args.out or source.parent / f'loss_{loss["what"]}_epoch_{loss["epoch"]}.json'
    about = dict(search_space=content['search_space'], source=str(source))
    with atomic_write(out) as temporary:
        temporary.write_text(json.dumps(dict(about, **loss, formulas=lines), indent=1) + '\n')
    print(f'Written: {out}')


if __name__ == '__main__':
    main()
