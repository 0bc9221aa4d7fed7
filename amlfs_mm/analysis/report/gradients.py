"""The gradient of the loss with respect to the target's activation f_y (Eq. 8, Fig. 4).

As in section 3.2 of the paper, f_y is the cosine: ``dL / d(W_y . x)`` is multiplied by
``|W_y| |x|``. This measures heads with and without normalisation alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.models import BaseClassifier
from torch import Tensor
from torch.overrides import TorchFunctionMode

from amlfs_mm.engine.state.checkpoints import check_checkpoint_file
from amlfs_mm.models.layers.unit_linear import unit_linear

from ..runs.models import find_num_classes, load_model


class TargetGradients(NamedTuple):
    """Values of N training samples; a head with K classifiers gives K values for each.

    Attributes:
        cosine: cos(theta_y) (N,) between the feature and the weight of the target's class.
        gradient: ``|dL_i / dcos(theta_y)|`` (N,) in nats.
    """

    cosine: Tensor
    gradient: Tensor


class ClassifierOutputs(TorchFunctionMode):
    """While active, keeps the inputs and outputs of every linear map onto C classes.

    The outputs become leaves that require a gradient, so that nothing before them has to be
    differentiated. The mode sees ``nn.Linear``, ``F.linear`` and ``unit_linear``, and so the
    classifier of any head: linear, cosine, with a margin, or searched.

    Args:
        num_classes: Number of classes C.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.calls: list[tuple[Tensor, Tensor, Tensor]] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func not in (F.linear, unit_linear) or out.shape[-1] != self.num_classes:
            return out
        feature, weight = (tensor.detach().float() for tensor in args[:2])
        if func is unit_linear:  # what it multiplies
            scale = args[2]
            weight = F.normalize(weight)
            feature = feature if scale is None else scale * F.normalize(feature)
        out = out.detach().requires_grad_()
        self.calls.append((feature, weight, out))
        return out


def measure_gradients(
    config: str | Path, checkpoint: str | Path, device: str = 'cpu', max_samples: int | None = None
) -> TargetGradients:
    """Target gradients of a checkpoint's model on the training data of its config.

    Args:
        config: Path of the config.
        checkpoint: Path of the checkpoint.
        device: Where the model runs, such as ``'cuda'``.
        max_samples: Stop after this many images.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: The checkpoint is damaged or of another model, or the head is one that
            :func:`collect_target_gradients` cannot measure.
    """
    if not Path(config).is_file():
        raise FileNotFoundError(f'there is no config {str(config)!r}')
    check_checkpoint_file(checkpoint)
    cfg = Config.fromfile(config)
    model = load_model(cfg, checkpoint)
    torch.manual_seed(0)  # for augmentation and dropout
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    return collect_target_gradients(model.to(device), loader, max_samples)


def collect_target_gradients(
    model: BaseClassifier, batches: Iterable[dict], max_samples: int | None = None
) -> TargetGradients:
    """Run training batches through a classifier in training mode, without changing its weights.

    The loss is all of ``head.loss``, a mean over the batch: a sample's gradient is that of the
    batch times the batch's size.

    Args:
        model: An mmpretrain classifier; it stays on its device.
        batches: Batches of its training data loader.
        max_samples: Stop after this many images.

    Raises:
        ValueError: The head has no linear classifier onto its number of classes, there is no batch,
            or a value is not finite.
    """
    head: Any = model.head
    num_classes = find_num_classes(head)
    model.train()
    model.requires_grad_(False)
    cosines, gradients, seen = [], [], 0
    for batch in batches:
        batch = model.data_preprocessor(batch, training=True)
        samples = batch['data_samples']
        target = torch.cat([sample.gt_label for sample in samples])
        features = model.extract_feat(batch['inputs'])
        with ClassifierOutputs(num_classes) as outputs:
            losses = head.loss(features, samples)
        if not outputs.calls:
            raise ValueError(
                f'{type(head).__name__} has no linear classifier onto {num_classes} classes'
            )
        loss = sum(value for name, value in losses.items() if 'loss' in name)
        leaves = [out for *_, out in outputs.calls]
        for (feature, weight, _), grad in zip(
            outputs.calls, torch.autograd.grad(loss, leaves), strict=True
        ):
            own = weight[target]
            cosines.append(F.cosine_similarity(feature, own, dim=1).cpu())
            grad_y = grad.gather(1, target[:, None]).squeeze(1).float()
            gradients.append(
                (len(target) * grad_y.abs() * feature.norm(dim=1) * own.norm(dim=1)).cpu()
            )
        seen += len(target)
        if max_samples is not None and seen >= max_samples:
            break
    if not cosines:
        raise ValueError('there is no training batch to measure gradients on')
    found = TargetGradients(torch.cat(cosines), torch.cat(gradients))
    if not all(values.isfinite().all() for values in found):
        raise ValueError(
            f'gradients of {type(head).__name__} are not finite: has the training diverged?'
        )
    return found
