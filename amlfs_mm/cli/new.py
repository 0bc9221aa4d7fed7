"""Write the config of a search on a baseline, after looking at the baseline.

    amlfs_mm new my_search.py --base mmpretrain::resnet/resnet18_8xb16_cifar10.py
    amlfs_mm new my_search.py --base my_baseline.py --reward accuracy/top1 --candidates 8

It says what it found: the head, what D_v is, and what the search costs.
"""

from __future__ import annotations

import argparse
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

import amlfs_mm  # noqa: F401  (cures for the OpenMMLab stack come before a config is read)
from amlfs_mm.utils.command_line import config_file, errors_as_messages, positive_int
from amlfs_mm.utils.paths import expand_home, user_path


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=user_path, help='the config to write, such as my_search.py')
    parser.add_argument(
        '--base',
        type=expand_home,
        required=True,
        help='the baseline: a path, mmpretrain::FOLDER/NAME.py or amlfs_mm::NAME.py',
    )
    parser.add_argument(
        '--reward', default='accuracy/top1', help='validation metric to maximise; %(default)s'
    )
    parser.add_argument(
        '--candidates',
        type=positive_int,
        default=32,
        metavar='B',
        help='losses that are tried in every epoch; the paper has %(default)s',
    )
    parser.add_argument(
        '--intervals',
        type=positive_int,
        default=6,
        metavar='M',
        help='of t and of tau; %(default)s',
    )
    parser.add_argument(
        '--scale', type=float, help='normalise features and class weights: logits SCALE x cos'
    )
    parser.add_argument(
        '--hold-out',
        type=positive_int,
        metavar='N',
        help='let 1 of N parts of the training data be D_v',
    )
    parser.add_argument(
        '--literal',
        action='store_true',
        help="the paper's search; without this, the search that we recommend, which has a control, "
        'goes back from bad rounds, and bounds t',
    )
    args = parser.parse_args(arguments)
    if args.out.suffix != '.py':
        parser.error(f'the config to write must end in .py, got {args.out}')
    if args.hold_out == 1:
        parser.error('--hold-out 1 leaves nothing to train with: at least 2')
    return args


def read_base(base: str) -> Config:
    """The baseline's config.

    Raises:
        FileNotFoundError: There is no such file, or no such config in its package.
        ValueError: It cannot be read.
    """
    try:
        path = config_file(base)
    except argparse.ArgumentTypeError as error:
        raise FileNotFoundError(
            f'{error}. Configs of a package lie in its folder .mim/configs, which a wheel may lack'
        ) from error
    if not path.is_file():
        raise FileNotFoundError(f'there is no config {path}')
    try:
        return Config.fromfile(path)
    except Exception as error:  # a config is code: anything can happen
        raise ValueError(f'{base} cannot be read: {type(error).__name__}: {error}') from error


def base_as_seen_from(folder: Path, base: str) -> str:
    """What the new config calls its base: as it is given, or the path from its own folder."""
    if '::' in base or os.path.isabs(base):
        return base
    return os.path.relpath(base, folder)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        if args.out.exists():
            raise FileExistsError(f'{args.out} exists: remove it, or choose another name')
        if not args.out.parent.is_dir():
            raise FileNotFoundError(f'there is no folder {args.out.parent}')
        cfg = read_base(args.base)
        # Seconds to import, which --help and a wrong path need not wait for.
        from amlfs_mm.starting.search_config import search_config, write_search_config

        found = search_config(
            base_as_seen_from(args.out.parent, args.base),
            cfg,
            args.reward,
            args.candidates,
            args.intervals,
            args.scale,
            args.hold_out,
            args.literal,
        )
        write_search_config(args.out, found.text)
    report = [f'Written: {args.out}, a search on {args.base}.']
    head = found.head
    report.append(f'Head: AMLFSHead takes the place of {head.kind}{sizes(head)}.')
    report += [*found.notes, scale_in_words(head.scale)]
    report.append(f'D_v: {found.held_out_data.text}.')
    if found.held_out_data.warning:
        report.append(f'WARNING: {found.held_out_data.warning} {hold_out_advice(cfg)}')
    report.append(f'Cost: {found.cost}. Fewer candidates cost less: --candidates.')
    report.append(
        f'Run: tools/dist_train.sh {args.out} PROCESSES, or amlfs_mm train {args.out} on one.'
    )
    for sentence in report:
        print(textwrap.fill(sentence, 100, subsequent_indent='  ', break_on_hyphens=False))


def sizes(head) -> str:
    """The sizes of a head in words, as far as they are known."""
    if head.num_classes is None:
        return ', the classifier inside the head'
    return f': {head.num_classes} classes, features of {head.in_channels} numbers'


def scale_in_words(scale: float | str | None) -> str:
    """What the logits are with a scale."""
    if scale is None:
        return 'Logits: W x. With --scale 30 they are 30 cos, of normalised features and weights.'
    if scale == 'feature':
        return 'Logits: |x| cos, of normalised class weights.'
    return f'Logits: {scale:g} cos, of normalised features and class weights.'


def hold_out_advice(cfg: Config) -> str:
    """How to write the config with another D_v."""
    from amlfs_mm.starting.held_out_data import check_hold_out

    try:
        check_hold_out(cfg)
    except ValueError as error:
        return f'--hold-out cannot do it: {error}.'
    return '--hold-out 10 does it: remove the config, and write it again.'
