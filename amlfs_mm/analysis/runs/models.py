"""The model of a run, built from its config and loaded from a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn

from amlfs_mm.engine.state.weights import load_weights


def load_model(config: Config, checkpoint: str | Path) -> Any:
    """An mmpretrain classifier with the weights of a checkpoint.

    Args:
        config: Its config. Its default scope is set for what is built after the model.
        checkpoint: Of this model, and no other.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The checkpoint is damaged or of another model.
    """
    init_default_scope(config.get('default_scope', 'mmpretrain'))
    preprocessor = {'type': 'ClsDataPreprocessor', **config.get('data_preprocessor', {})}
    model = MODELS.build({'data_preprocessor': preprocessor, **config.model})
    load_weights(model, checkpoint)
    return model


def find_num_classes(head: nn.Module) -> int:
    """Number of classes of a head, or of the classifiers inside it.

    Raises:
        ValueError: None of them has ``num_classes``.
    """
    for module in head.modules():
        num_classes = getattr(module, 'num_classes', None)
        if isinstance(num_classes, int):
            return num_classes
    raise ValueError(f'{type(head).__name__} has no num_classes')
