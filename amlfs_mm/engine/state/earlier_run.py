"""What an earlier run left in a work dir where another one starts."""

from __future__ import annotations

import re
from pathlib import Path

OF_A_FINISHED_RUN = (
    'control.pth',
    'kept_model.*',
    'loss_schedule.json',
    'compute.json',
    'test.json',
    'test_best.json',
    'test_kept.json',
    'test_control.json',
)
"""The files by which a program takes a run for finished or tested."""

OF_A_RUN = (
    'last_checkpoint',
    'epoch_*.pth',
    'iter_*.pth',
    'best_*.pth',
    'unfinished',
    'loss_search.jsonl',
    *OF_A_FINISHED_RUN,
)
"""The files by which a program takes a run for begun, finished or tested."""


def set_aside_earlier_run(directory: Path, name: str) -> list[str]:
    """Move what another run left into a folder of its own, before a run starts anew.

    Otherwise a resume would take the earlier run's later checkpoints, or its unfinished round, for
    those of this run.

    Args:
        directory: The work dir.
        name: Of the folder in it, which is made if something is to be moved.

    Returns:
        What was moved, names in order.
    """
    return _move(directory, name, [path for glob in OF_A_RUN for path in directory.glob(glob)])


def set_aside_unfinished_round(directory: Path, name: str) -> list[str]:
    """Move the unfinished round of another search, which would else be taken for this one's."""
    return _move(directory, name, list(directory.glob('unfinished')))


def set_aside_later_files(
    directory: Path, name: str, reached: dict[str, int], loaded: Path, is_over: bool
) -> list[str]:
    """Move what is later than the checkpoint from which a run goes on.

    These are checkpoints, unfinished rounds and, if the run is not over, the files of its end.

    Args:
        directory: The work dir.
        name: Of the folder in it, which is made if something is to be moved.
        reached: ``epoch`` and ``iter`` of the loaded checkpoint.
        loaded: The checkpoint. It stays.
        is_over: Whether nothing is left to train.

    Returns:
        What was moved, names in order.
    """
    later = []
    for path in directory.glob('*.pth'):
        number = re.fullmatch(r'(epoch|iter)_(\d+)\.pth', path.name)
        if number and int(number[2]) >= reached[number[1]]:
            later.append(path)
    for path in directory.glob('unfinished/round_*.pth'):
        if int(path.name.split('_')[1]) > reached['epoch']:
            later.append(path)
    if not is_over:
        later += [path for glob in OF_A_FINISHED_RUN for path in directory.glob(glob)]
    return _move(directory, name, [path for path in later if not path.samefile(loaded)])


def _move(directory: Path, name: str, paths: list[Path]) -> list[str]:
    for path in paths:
        (directory / name).mkdir(exist_ok=True)
        path.rename(directory / name / path.name)
    return sorted(path.name for path in paths)
