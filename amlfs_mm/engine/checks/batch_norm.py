"""Whether batch normalisation can work with the smallest batch."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any, cast

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import BatchSampler, DataLoader

from amlfs_mm.utils.randomness import generators_kept

from .batches import share_of_replica


def check_batch_norm(model: nn.Module, loader: DataLoader) -> None:
    """Batch normalisation has more than one value a channel in every batch.

    Raises:
        ValueError: The last batch of an epoch has one image, and a layer would have one value.

    When:
        Every training starts.
    """
    if _smallest_batch(loader) != 1:
        return
    several = get_world_size() > 1
    layers: dict[str, nn.Module] = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, _BatchNorm) and not (several and isinstance(module, nn.SyncBatchNorm))
    }
    failing = _layers_with_one_value(model, layers, loader) if layers else []
    if failing:
        sampler: Any = loader.batch_sampler
        images = len(cast(Sized, loader.dataset))
        which, cure = 'the last batch of an epoch', 'set train_dataloader.drop_last=True'
        if sampler.batch_size == 1:
            which, cure = 'every batch', 'raise train_dataloader.batch_size'
        share = share_of_replica(sampler.sampler, images)
        layer = f'{type(layers[failing[0]]).__name__} {failing[0]!r}'
        raise ValueError(
            f'{which} has one image ({share} in batches of {sampler.batch_size}), but {layer} '
            f'needs two or more in training: {cure}, or choose another batch_size'
        )


def one_image(loader: Any) -> Any:
    """A batch of the first image; images in memory are not collated."""
    if hasattr(loader.dataset, 'batch'):
        return loader.dataset.batch([0])
    return loader.collate_fn([loader.dataset[0]])


def _smallest_batch(loader: DataLoader) -> int | None:
    """Images of the smallest batch of an epoch; None if that is not known."""
    sampler = loader.batch_sampler
    if type(sampler) is not BatchSampler:
        return None
    images = len(cast(Sized, sampler.sampler))
    rest = images % sampler.batch_size
    return sampler.batch_size if not rest or sampler.drop_last else rest


@torch.no_grad()
def _layers_with_one_value(model: Any, layers: dict[str, Any], loader: DataLoader) -> list[str]:
    """The layers that train with batch statistics, and get one value a channel from one image.

    One image is sent through the model, in evaluation mode, which changes nothing.
    """
    modes = {module: module.training for module in model.modules()}
    seen: dict[str, bool] = {}
    model.train()
    trained = [name for name, layer in layers.items() if layer.training]

    def note(name: str):
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen[name] = inputs[0].numel() == inputs[0].shape[1]

        return hook

    handles = [layers[name].register_forward_pre_hook(note(name)) for name in trained]
    failed = False
    try:
        with generators_kept():
            model.eval()
            batch = one_image(loader)
            data = model.data_preprocessor(batch, False)
            if hasattr(model, 'extract_feat'):
                model.extract_feat(data['inputs'])
            else:
                model(**data, mode='tensor')
    except Exception:  # training will show what is wrong with the sample or the model
        failed = True
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    unknown = [name for name in trained if name not in seen] if failed else []
    return [name for name, one in seen.items() if one] + [
        name for name in unknown if isinstance(layers[name], nn.BatchNorm1d)
    ]
