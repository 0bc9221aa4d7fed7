"""A loss by its name, from a JSON file, and as formulas: what people write and read."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from .branch_space import BranchSearchSpace
from .search_space import SearchSpace


def find_loss(space: SearchSpace, loss: str | dict) -> Tensor:
    """A point theta (D,) of the space.

    Args:
        space: To which theta belongs.
        loss: A known loss, ``'softmax'`` or ``dict(name='am_softmax', m=0.35)``, or the path of a
            JSON file, see :func:`read_loss`.

    Raises:
        ValueError: It is neither, or the file does not fit.
        FileNotFoundError: There is no such file.
    """
    if isinstance(loss, dict) and 'name' in loss:
        return space.known_loss(**loss)
    if not isinstance(loss, str):
        raise ValueError(
            "a loss is a known one, 'softmax' or dict(name='am_softmax', m=0.35), or a JSON file, "
            f"'loss.json'; got {loss!r}"
        )
    return read_loss(space, loss) if loss.endswith('.json') else space.known_loss(loss)


def read_loss(space: SearchSpace, path: str | Path) -> Tensor:
    """theta (D,) from a loss file, or the final mu of a ``loss_schedule.json``.

    A loss file, written by ``tools/analysis/export_loss.py``, has the keys ``search_space`` and
    ``theta``. A loss of one branch fits a :class:`BranchSearchSpace` too: every branch gets it.

    Raises:
        ValueError: The file holds something else, or a loss of another space.
        FileNotFoundError: There is no such file.
    """
    wanted = (
        'expected is a loss file of tools/analysis/export_loss.py or the loss_schedule.json of a '
        f'search in {space!r}'
    )
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no loss file {str(path)!r}; {wanted}')
    try:
        content = json.loads(Path(path).read_text())
        of_space = content['search_space']
        theta = torch.tensor(
            content['theta'] if 'theta' in content else content['epochs'][-1]['mu']
        )
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f'{path} holds no loss ({type(error).__name__}: {error}); {wanted}'
        ) from error
    branches = isinstance(space, BranchSearchSpace) and of_space == repr(space.space)
    part = space.space if branches else space
    if of_space != repr(part) or theta.shape != (part.dim,):
        raise ValueError(
            f'{path} is a loss of {of_space} with {theta.numel()} numbers, which is not a point of '
            f"{space!r}: set the head's num_intervals (or search_space) to the file's; {wanted}"
        )
    if not theta.is_floating_point() or not torch.isfinite(theta).all():
        raise ValueError(f'{path}: theta must be finite numbers; {wanted}')
    return theta.repeat(space.num_branches) if branches else theta


def formulas(space: SearchSpace, theta: Tensor) -> dict[str, list[str]]:
    """The loss ``-log tau(p)`` of a point theta (D,) as text, a line an interval.

    Args:
        space: To which theta belongs; its transforms have a method ``formulas``.
        theta: As sampled; slopes are those that the loss uses.

    Returns:
        Lines of ``t`` and ``tau``; of ``t_0`` and so on where each branch has its own.
    """
    if isinstance(space, BranchSearchSpace):
        return {
            f'{name}_{i}': lines
            for i, branch in enumerate(space.branches(theta))
            for name, lines in formulas(space.space, branch).items()
        }
    t, tau = space.transforms(theta)
    return dict(t=t.formulas('cos'), tau=tau.formulas('p'))
