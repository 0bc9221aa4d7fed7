"""Embedding models in ONNX files, compared with torch in onnxruntime."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn

from amlfs_mm.engine.state.weights import load_weights
from amlfs_mm.utils.atomic_files import atomic_write
from amlfs_mm.utils.optional_imports import needs_extra


def build_embedder(cfg: Config, checkpoint: str | Path) -> nn.Module:
    """The config's model with the checkpoint's weights, in evaluation mode.

    Its theta, if it has one, stays as the config says: features do not depend on it.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The model has no features to export, or the checkpoint cannot be read or is one
            of another model.
    """
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    if 'backbone' in cfg.model:
        cfg.model.backbone.pop('init_cfg', None)  # the checkpoint has the weights
    model = MODELS.build(cfg.model)
    if not hasattr(model, 'embed'):
        raise ValueError(
            f'{type(model).__name__} has no features to export: set model.type='
            "'amlfs_mm.EmbeddingClassifier', which takes the same weights"
        )
    load_weights(model, checkpoint)
    return model.eval()


def preprocessor_of(cfg: Config) -> dict:
    """The config of the data preprocessor: the model's own, or else the runner's."""
    return cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}


def find_preprocessing(cfg: Config) -> dict[str, list[float]]:
    """The ``mean`` and ``std`` by channel with which images are normalised.

    Raises:
        ValueError: ``mean`` or ``std`` has neither one value nor three.
    """
    preprocessor = preprocessor_of(cfg)
    mean, std = preprocessor.get('mean'), preprocessor.get('std')
    for name, values in (('mean', mean), ('std', std)):
        if isinstance(values, Sequence) and len(values) not in (1, 3):
            raise ValueError(
                f'data_preprocessor.{name} has {len(values)} values: an exported model takes '
                'images of 3 channels'
            )
    return dict(mean=_by_channel(mean, 0.0), std=_by_channel(std, 1.0))


def _by_channel(values: Sequence[float] | float | None, default: float) -> list[float]:
    if values is None:
        return [default] * 3
    if isinstance(values, (int, float)):
        return [float(values)] * 3
    return [float(value) for value in values] * (3 if len(values) == 1 else 1)


def find_order(cfg: Config, given: str | None) -> str:
    """The order of the channels that the model was trained on, ``'RGB'`` or ``'BGR'``.

    Raises:
        ValueError: The config does not say.
    """
    if given is None and not preprocessor_of(cfg).get('to_rgb'):
        raise ValueError(
            "the config's data_preprocessor has no to_rgb=True, so that the order of the channels "
            'is that of the data set: give --order RGB or --order BGR'
        )
    return given or 'RGB'


def export_onnx(
    model: nn.Module, size: tuple[int, int], path: str | Path, metadata: dict[str, str]
) -> None:
    """Write a model to an ONNX file, whole or not at all.

    Args:
        model: Takes ``images`` (N, 3, H, W) and gives ``features`` (N, D); N is free in the file.
        size: (H, W).
        path: Of the file.
        metadata: What the file says of itself.

    Raises:
        ValueError: The model does not take such images, as one for grey images does not.
    """
    with needs_extra('export', 'the export to ONNX'):
        import onnx

    images = torch.zeros(2, 3, *size)
    try:
        with torch.no_grad():
            model(images)
    except RuntimeError as error:
        raise ValueError(
            f'the model does not take images (N, 3, {size[0]}, {size[1]}), which it is exported '
            f'for: {error}'
        ) from error
    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter('ignore')  # tracing's; a comparison follows
        torch.onnx.export(
            model,
            (images,),
            str(temporary),
            input_names=['images'],
            output_names=['features'],
            dynamic_axes=dict(images={0: 'N'}, features={0: 'N'}),
            opset_version=17,
            dynamo=False,
        )
        exported = onnx.load(temporary)
        onnx.helper.set_model_props(exported, metadata)
        onnx.checker.check_model(exported)
        onnx.save(exported, temporary)


def measure_difference(model: nn.Module, size: tuple[int, int], path: str | Path) -> float:
    """The largest difference between torch and onnxruntime, over batches of 1 and 3 images.

    It is relative to the largest of torch's features.
    """
    with needs_extra('export', 'the export to ONNX'):
        import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    worst = 0.0
    for n in (1, 3):
        images = torch.randn(n, 3, *size, generator=torch.Generator().manual_seed(n))
        with torch.no_grad():
            expected = model(images).numpy()
        (features,) = session.run(None, dict(images=images.numpy()))
        worst = max(worst, np.abs(features - expected).max() / np.abs(expected).max())
    return float(worst)
