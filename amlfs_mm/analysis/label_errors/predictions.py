"""What a trained model says about its own training labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.models.heads import AMLFSHead
from amlfs_mm.models.layers.logits import norms_outside_t
from amlfs_mm.models.layers.sharded_linear import whole_weight
from amlfs_mm.models.losses.reference_loss import transform_target_logit
from amlfs_mm.models.losses.written_out_loss import log_tau_and_weight
from amlfs_mm.utils.autocast import without_autocast

from ..runs.models import find_num_classes

MOST_KEPT = 20
"""Classes of a sample whose probabilities are kept, the most probable ones."""


@dataclass
class Predictions:
    """The model's view of N samples with C classes, of which the K most probable ones are kept.

    Attributes:
        given: (N,) The label that the sample was trained with.
        probability: (N,) The softmax probability of the given label, the head's scale included.
        weight: (N,) The mean factor ``a p / tau(p)`` by which tau multiplies the sample's softmax
            gradient; 1 without a searched loss.
        top: (N, K) The most probable classes, the most probable one first.
        top_probability: (N, K) Their probabilities.
        num_classes: C.
        every: (N, C) The probabilities of all classes, if they were asked for.
    """

    given: np.ndarray
    probability: np.ndarray
    weight: np.ndarray
    top: np.ndarray
    top_probability: np.ndarray
    num_classes: int
    every: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.given)

    @property
    def suggested(self) -> np.ndarray:
        """(N,) The most probable class."""
        return self.top[:, 0]


def predict_labels(
    model: Any,
    samples: Dataset,
    losses: Sequence[Tensor] = (),
    device: str = 'cpu',
    batch_size: int = 256,
    num_workers: int = 0,
    keep_all: bool = False,
) -> Predictions:
    """Run training samples through a classifier in evaluation mode.

    A head with several classifiers gives the mean of their probabilities and weights.

    Args:
        model: An mmpretrain classifier.
        samples: Packed training samples with the labels that they were trained with.
        losses: Points (D,) of the search space: a sample's weight is its mean under these. Without
            any, it is that under the loss which the head has.
        device: Where the model runs.
        batch_size: Images in a batch.
        num_workers: Processes that load images.
        keep_all: Keep the probabilities of all classes.

    Raises:
        ValueError: There is no sample, the head gives no logits, a sample does not have one class,
            or a probability is not finite.
    """
    if not len(samples):  # type: ignore[arg-type]
        raise ValueError('there is no training sample to judge')
    model = model.to(device).eval()
    loader = Runner.build_dataloader(
        dict(
            dataset=samples,
            batch_size=batch_size,
            num_workers=num_workers,
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        seed=0,
    )
    parts = [_predict(model, batch, losses, keep_all) for batch in loader]
    columns = [torch.cat(column).cpu().numpy() for column in zip(*parts, strict=True)]
    given, probability, weight, top, top_probability, *every = columns
    num_classes = find_num_classes(model.head)
    if not (np.isfinite(probability).all() and np.isfinite(weight).all()):
        raise ValueError(
            f'probabilities of {type(model.head).__name__} are not finite: has the training '
            'diverged?'
        )
    kept = every[0] if every else None
    return Predictions(given, probability, weight, top, top_probability, num_classes, kept)


@torch.no_grad()
def _predict(
    model: Any, batch: dict, losses: Sequence[Tensor], keep_all: bool
) -> tuple[Tensor, ...]:
    labels = _one_class_each(batch['data_samples'])
    batch = model.data_preprocessor(batch, training=False)
    target = labels.to(batch['inputs'].device)
    features = model.extract_feat(batch['inputs'])
    with classifier_calls(model) as calls:
        logits = model.head(features)
    probabilities = _mean_probabilities(logits, type(model.head).__name__)
    if int(target.max()) >= probabilities.shape[1] or int(target.min()) < 0:
        raise ValueError(
            f'a training label is {int(target.max())}, but the head gives '
            f'{probabilities.shape[1]} classes'
        )
    own = probabilities.gather(1, target[:, None]).squeeze(1)
    top_probability, top = probabilities.topk(min(MOST_KEPT, probabilities.shape[1]), dim=1)
    weight = mean_weight(model, calls, target, losses)
    kept = (probabilities,) if keep_all else ()
    return target, own, weight.to(own), top, top_probability, *kept


def _mean_probabilities(logits: Any, name: str) -> Tensor:
    """(N, C) The softmax of the logits (N, C) of a classifier, or the mean over several."""
    several = logits if isinstance(logits, (list, tuple)) else [logits]
    if not several or not all(isinstance(one, Tensor) and one.ndim == 2 for one in several):
        raise ValueError(f'{name} gives no logits (N, C), so it has no opinion on labels')
    return torch.stack([one.float().softmax(1) for one in several]).mean(0)


def _one_class_each(data_samples: Sequence[Any]) -> Tensor:
    labels = [sample.get('gt_label') for sample in data_samples]  # before the model asks for them
    for number, label in enumerate(labels):
        if label is None or label.numel() != 1:
            count = 'no' if label is None else label.numel()
            raise ValueError(
                f'sample {number} of a batch has {count} classes, but a judgement needs one'
            )
    return torch.cat([label.reshape(1) for label in labels])


Call = tuple[AMLFSHead, Tensor, Tensor]
"""A searched classifier, the features (N, D) that it got, and the logits (N, C) that it gave."""


@contextmanager
def classifier_calls(model: nn.Module) -> Iterator[list[Call]]:
    """Collect what each searched classifier inside a model gets and gives."""
    calls: list[Call] = []

    def keep(head: AMLFSHead, inputs: tuple, output: Tensor) -> None:
        calls.append((head, head.pre_logits(inputs[0]), output))

    handles = [
        module.register_forward_hook(keep)
        for module in model.modules()
        if isinstance(module, AMLFSHead)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def mean_weight(
    model: nn.Module, calls: list[Call], target: Tensor, losses: Sequence[Tensor]
) -> Tensor:
    """(N,) The mean of ``a p / tau(p)`` over the losses and the classifiers; 1 without any.

    p is the probability of the given label after t, as in training.

    Args:
        model: The classifier; its searched heads have the last of the losses afterwards.
        calls: As :func:`classifier_calls` collects them.
        target: (N,) The given labels.
        losses: Points of the search space; none: the loss that the head has.
    """
    if not calls:
        return torch.ones(len(target), device=target.device)
    if not losses:
        return torch.stack([sample_weight(*call, target) for call in calls]).mean(0)
    found = []
    for theta in losses:
        for searched in find_heads(model):
            searched.set_theta(theta.to(target.device))
        found += [sample_weight(*call, target) for call in calls]
    return torch.stack(found).mean(0)


def sample_weight(head: AMLFSHead, features: Tensor, logits: Tensor, target: Tensor) -> Tensor:
    """(N,) ``a p / tau(p)``: the factor by which the head's tau multiplies a softmax gradient."""
    t, tau = head.transforms()
    with without_autocast(logits):
        weight = whole_weight(head.fc)
        norm = norms_outside_t(features.to(logits.dtype), weight, target, head.scale)
        transformed, _ = transform_target_logit(logits, target, norm, t)
        log_probability = transformed.log_softmax(1).gather(1, target[:, None]).squeeze(1)
        return log_tau_and_weight(log_probability, tau, head.tau_floor)[1]
