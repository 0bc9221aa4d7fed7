"""Whether the weights in a checkpoint are those of a model."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.model import PretrainedInit
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import load_state_dict
from torch import Tensor, nn

from amlfs_mm.utils.config_types import resolves_to

from .checkpoints import check_checkpoint_file, is_remote, read_checkpoint

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
        ValueError: Model and checkpoint differ; the message has the counts and the first few names.

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


def check_pretrained(model: nn.Module) -> None:
    """A checkpoint of an ``init_cfg`` has some tensor of the part that it is for.

    MMEngine takes what fits, and trains on with random weights if nothing does. The usual cause is
    a checkpoint of a whole model for a backbone. Files that MMEngine fetches, and parts that rename
    weights while they load, are not looked at.

    Args:
        model: Not wrapped.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: No tensor fits; the message names part, file and cure.

    When:
        Every training starts.
    """
    for name, part in model.named_modules():
        given = getattr(part, 'init_cfg', None)
        for init in given if isinstance(given, list) else [given]:
            if isinstance(init, dict) and resolves_to(
                init.get('type'), WEIGHT_INITIALIZERS, PretrainedInit
            ):
                _check_pretrained_part(name or 'model', part, init)


def _check_pretrained_part(name: str, part: nn.Module, init: dict) -> None:
    path, prefix = init['checkpoint'], init.get('prefix')
    renames = any(module._load_state_dict_pre_hooks for module in part.modules())
    if renames or is_remote(path):
        return
    try:
        check_checkpoint_file(path)
        saved = saved_weights(read_checkpoint(path, tensors=False))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'{error}, which init_cfg of {name!r} names') from error
    except ValueError:
        return  # MMEngine's error follows
    start = f'{prefix.rstrip(".")}.' if prefix else ''
    own = {k.removeprefix(start): value for k, value in saved.items() if k.startswith(start)}
    found = compare_weights(part, own)
    if found.same:
        return
    cure = 'give the checkpoint of such a part'
    for other in sorted({key.partition('.')[0] for key in saved}):
        inner = {k.removeprefix(f'{other}.'): v for k, v in saved.items() if k.startswith(other)}
        if compare_weights(part, inner).same:
            cure = f"set prefix='{other}.' in init_cfg"
            break
    raise ValueError(
        f'{path}, which init_cfg of {name!r} ({type(part).__name__}) names'
        + (f' with prefix={prefix!r}' if prefix else '')
        + f', fits no tensor of it: {found.describe()}. {cure[0].upper()}{cure[1:]}'
    )


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
