"""A loss from its name or from a JSON file, and a loss as formulas."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from . import protocols
from .branch_space import BranchSearchSpace
from .head_options import differences, head_options
from .search_space import MIN_SLOPE
from .zoo_files import is_zoo_name, loss_path


def find_loss(space: protocols.SearchSpace, loss: str | dict) -> Tensor:
    """The theta (D,) of a loss that a config names.

    Args:
        space: The search space of theta.
        loss: A known loss, ``'softmax'`` or ``dict(name='am_softmax', m=0.35)``; or a JSON file,
            its path or ``'zoo:NAME'`` for one of the zoo; see :func:`read_loss`.

    Raises:
        ValueError: The loss is neither of the two, or the file is a loss of another space.
        FileNotFoundError: The file does not exist, or the zoo has no loss of this name.
    """
    if isinstance(loss, dict) and 'name' in loss:
        return space.known_loss(**loss)
    if not isinstance(loss, str):
        raise ValueError(
            "a loss is a known one, 'softmax' or dict(name='am_softmax', m=0.35), or a JSON file, "
            f"'loss.json' or 'zoo:NAME'; got {loss!r}"
        )
    return read_loss(space, loss) if is_file(loss) else space.known_loss(loss)


def is_file(loss: str | dict) -> bool:
    """Whether a config names a loss by its file, or by its name in the zoo."""
    return isinstance(loss, str) and (is_zoo_name(loss) or loss.endswith('.json'))


def describe_another_head(loss: str | dict, head: object) -> list[str]:
    """A sentence for each option of a head that gives a loss of a file another shape than there.

    Args:
        loss: As :func:`find_loss` takes it, and has read it; none but a file has options.
        head: That trains with it.
    """
    if not is_file(loss):
        return []
    path = loss_path(str(loss))
    content = json.loads(path.read_text(encoding='utf-8-sig'))
    return list(differences(head_options(content), head, path))


def read_loss(space: protocols.SearchSpace, path: str | Path) -> Tensor:
    """theta (D,) from a loss file, or the final mu of a ``loss_schedule.json``.

    ``tools/analysis/export_loss.py`` writes loss files: JSON with the keys ``search_space`` and
    ``theta``, and ``head`` with ``min_slope`` and ``tau_floor`` of the head that was searched. In a
    :class:`BranchSearchSpace`, a loss of one branch is given to every branch.

    Args:
        space: The search space of theta.
        path: Of the file, or ``'zoo:NAME'``; ``~`` is the home folder.

    Raises:
        ValueError: The file holds something else, or a loss of another space.
        FileNotFoundError: The file does not exist.
    """
    path = loss_path(path)
    wanted = (
        'expected is a loss file of tools/analysis/export_loss.py or the loss_schedule.json of a '
        f'search in {space!r}'
    )
    if not path.is_file():
        raise FileNotFoundError(f'there is no loss file {str(path)!r}; {wanted}')
    try:
        content = json.loads(path.read_text(encoding='utf-8-sig'))  # as Windows saves it, too
        of_space = content['search_space']
        theta = torch.tensor(
            content['theta'] if 'theta' in content else content['epochs'][-1]['mu']
        )
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f'{path} holds no loss ({type(error).__name__}: {error}); {wanted}'
        ) from error
    if not isinstance(content.get('head', {}), dict):
        raise ValueError(f"{path}: 'head' must be an object with min_slope and tau_floor; {wanted}")
    repeats, part = 1, space
    if isinstance(space, BranchSearchSpace) and of_space == repr(space.space):
        repeats, part = space.num_branches, space.space
    if of_space != repr(part) or theta.shape != (part.dim,):
        raise ValueError(
            f'{path} is a loss of {of_space} with {theta.numel()} numbers, which is not a point of '
            f"{space!r}: set the head's num_intervals (or search_space) to the file's; {wanted}"
        )
    if not theta.is_floating_point() or not torch.isfinite(theta).all():
        raise ValueError(f'{path}: theta must be finite numbers; {wanted}')
    return theta.repeat(repeats)


def formulas(
    space: protocols.SearchSpace, theta: Tensor, min_slope: float = MIN_SLOPE
) -> dict[str, list[str]]:
    """The loss ``-log tau(p)`` of theta (D,) as text, one line an interval.

    Args:
        space: The search space of theta.
        theta: As sampled. The text has the slopes that the loss uses.
        min_slope: That of the head.

    Returns:
        The lines of ``t`` and of ``tau``. In a :class:`BranchSearchSpace` the names are ``t_0``,
        ``tau_0``, ``t_1`` and so on.
    """
    if isinstance(space, BranchSearchSpace):
        return {
            f'{name}_{i}': lines
            for i, branch in enumerate(space.branches(theta))
            for name, lines in formulas(space.space, branch, min_slope).items()
        }
    t, tau = space.transforms(theta, min_slope)
    return dict(t=t.formulas('cos'), tau=tau.formulas('p'))
