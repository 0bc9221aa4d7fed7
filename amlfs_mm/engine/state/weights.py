"""Whether the weights in a checkpoint are those of a model."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import load_state_dict
from torch import Tensor, nn

from .checkpoints import read_checkpoint

SHOWN = 3
"""Names that a message shows of a longer list."""


@dataclass
class Comparison:
    """The tensors of a checkpoint beside those of a model, by name.

    ``theta`` is not compared: inference never depends on it, and a run sets its own. Neither is
    ``num_batches_tracked``, which older checkpoints lack.

    Attributes:
        same: In both, of one shape.
        missing: In the model only.
        unknown: In the checkpoint only.
        reshaped: In both, with (shape in the checkpoint, shape in the model).
        theta_saved: Whether the checkpoint has a theta.
        theta_expected: Whether the model has.
    """

    same: list[str]
    missing: list[str]
    unknown: list[str]
    reshaped: dict[str, tuple[tuple, tuple]]
    theta_saved: bool
    theta_expected: bool

    @property
    def is_exact(self) -> bool:
        """Whether checkpoint and model have the same names and shapes."""
        return not (self.missing or self.unknown or self.reshaped)

    def describe(self) -> str:
        """The differences in one line, the first few by name."""
        reshaped = [f'{name} {a} instead of {b}' for name, (a, b) in self.reshaped.items()]
        kinds = {
            'not in the checkpoint': self.missing,
            'not in the model': self.unknown,
            'of another shape': reshaped,
        }
        parts = [f'{len(found)} {what} ({_first(found)})' for what, found in kinds.items() if found]
        total = len(self.same) + len(self.missing) + len(self.reshaped)
        return f'{len(self.same)} of the {total} tensors of the model fit; ' + '; '.join(parts)


def saved_weights(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The weights in a checkpoint by their names in the model, without DDP's ``module.``."""
    weights = checkpoint.get('state_dict', checkpoint)
    return {re.sub(r'^module\.', '', name): value for name, value in weights.items()}


def compare_weights(model: nn.Module, checkpoint: Mapping[str, Any]) -> Comparison:
    """What a checkpoint and a model (not wrapped) have in common, and what not.

    Class weights that are spread over the replicas count as the whole ones that checkpoints hold.
    """
    shapes = {name: tuple(value.shape) for name, value in _tensors(model.state_dict()).items()}
    for name, layer in model.named_modules():
        if hasattr(layer, 'class_range'):
            shapes[f'{name}.weight'] = (layer.num_classes, *layer.weight.shape[1:])
    saved = {n: tuple(value.shape) for n, value in _tensors(saved_weights(checkpoint)).items()}
    wanted = {name for name in shapes if not _is_left_out(name)}
    given = {name for name in saved if not _is_left_out(name)}
    common = [name for name in shapes if name in wanted & given]
    return Comparison(
        same=[name for name in common if saved[name] == shapes[name]],
        missing=[name for name in shapes if name in wanted - given],
        unknown=[name for name in saved if name in given - wanted],
        reshaped={n: (saved[n], shapes[n]) for n in common if saved[n] != shapes[n]},
        theta_saved=any(map(_is_theta, saved)),
        theta_expected=any(map(_is_theta, shapes)),
    )


def check_same_weights(
    model: nn.Module, checkpoint: Mapping[str, Any], name: str | Path
) -> Comparison:
    """A checkpoint to test or to resume has every tensor of the model, and no other.

    Args:
        model: Not wrapped.
        checkpoint: Its content.
        name: Of its file.

    Raises:
        ValueError: They differ; the message has the counts and the first few names.

    When:
        A test, a resume or an export loads a checkpoint.
    """
    found = compare_weights(model, checkpoint)
    if not found.is_exact:
        raise ValueError(
            f'{name} is the checkpoint of another model: {found.describe()}. Give the config that '
            'it was trained with'
        )
    return found


def check_some_weights(
    model: nn.Module, checkpoint: Mapping[str, Any], name: str | Path
) -> Comparison:
    """A checkpoint to start from (``load_from``) has some tensor of the model.

    Args:
        model: Not wrapped.
        checkpoint: Its content.
        name: Of its file.

    Raises:
        ValueError: No tensor fits: training would start from random weights.

    When:
        A training loads the config's ``load_from``.
    """
    found = compare_weights(model, checkpoint)
    if not found.same:
        raise ValueError(
            f'load_from={str(name)!r} fits no tensor of the model: {found.describe()}. If it holds '
            "a backbone, set model.backbone.init_cfg=dict(type='Pretrained', checkpoint=...)"
        )
    return found


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load a checkpoint of this very model, but for theta.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read, or is the checkpoint of another model.
    """
    checkpoint = read_checkpoint(path)
    check_same_weights(model, checkpoint, path)
    weights = saved_weights(checkpoint)
    known = set(model.state_dict())
    load_state_dict(model, {k: v for k, v in weights.items() if k in known}, logger='silent')


def log_weights(found: Comparison, name: str | Path) -> None:
    """Say how many tensors a checkpoint gave the model, and what was left out."""
    if found.is_exact:
        print_log(f'{name}: all {len(found.same)} tensors of the model', logger='current')
    else:
        print_log(f'{name}: {found.describe()}', logger='current', level=logging.WARNING)
    if found.theta_saved != found.theta_expected:
        which = 'the checkpoint' if found.theta_saved else 'the model'
        print_log(f'Only {which} has a theta. Inference does not depend on it', logger='current')


def _tensors(weights: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: value for name, value in weights.items() if isinstance(value, Tensor)}


def _is_theta(name: str) -> bool:
    return name.rpartition('.')[2] == 'theta'


def _is_left_out(name: str) -> bool:
    return _is_theta(name) or name.endswith('num_batches_tracked')


def _first(names: list[str]) -> str:
    return ', '.join(names[:SHOWN]) + (', ...' if len(names) > SHOWN else '')
