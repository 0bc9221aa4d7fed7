"""The student as a function of its weights, its buffers and its loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from amlfs_mm.utils.devices import device_random_state, set_device_random_state

from ..taught_heads import FoundHead, TaughtHead
from .sgd import SGDOptions
from .student_state import DevScores, dev_scores


@dataclass
class Step:
    """All that a training step depends on, as it was before the step.

    Attributes:
        batch: As the loader gave it.
        phi: (C, C + 1) the loss, with the graph of the teacher that gave it.
        weights: Of the parameters that are trained, in the optimizer's order.
        velocities: Their momentum buffers; None before there is one.
        options: Of SGD, for each of them.
        buffers: Of the model, by name.
        random_state: Of torch's generator on the CPU, and of that on the device, if it has one.
    """

    batch: Any
    phi: Tensor
    weights: list[Tensor]
    velocities: list[Tensor | None]
    options: list[SGDOptions]
    buffers: dict[str, Tensor]
    random_state: tuple[Tensor, Tensor | None]


class Student:
    """A model of mmpretrain and its SGD.

    Its functions leave weights, buffers and random numbers of the model as they are.

    Args:
        model: With an ``extract_feat`` and a taught head.
        found: The head and its name.
        optimizer: ``torch.optim.SGD`` of the model's weights.
        dev_loss: What is minimised on D_v. ``'expected_error'``: the mean of 1 - p_y, which is the
            error of a classifier that draws its answer from p. ``'cross_entropy'``: the mean of
            -log p_y.
    """

    def __init__(
        self, model: nn.Module, found: FoundHead, optimizer: Optimizer, dev_loss: str
    ) -> None:
        self.model = model
        self.head = found.head
        self.phi_name = f'{found.name}.phi'
        self.optimizer = optimizer
        self.dev_loss = dev_loss
        names = {id(weight): name for name, weight in model.named_parameters()}
        self.names = [names[id(weight)] for weight in self._weights()]

    def record(self, batch: Any, phi: Tensor) -> Step:
        """Copy what the next training step depends on."""
        groups = self.optimizer.param_groups
        return Step(
            batch=batch,
            phi=phi,
            weights=[weight.detach().clone() for weight in self._weights()],
            velocities=[
                None if velocity is None else velocity.clone()
                for velocity in map(self._velocity, self._weights())
            ],
            options=[SGDOptions.of_group(group) for group in groups for _ in group['params']],
            buffers=self._copied_buffers(),
            random_state=_random_state(),
        )

    def training_loss(self, step: Step, weights: list[Tensor], phi: Tensor) -> Tensor:
        """The loss () of a step, as ``train_step`` computes it, with these weights and this phi."""
        tensors = {name: buffer.clone() for name, buffer in step.buffers.items()}
        tensors |= dict(zip(self.names, weights, strict=True))
        tensors[self.phi_name] = phi
        with _generators_at(step.random_state), torch.enable_grad():
            data = self._preprocessed(step.batch, training=True)
            losses = functional_call(self.model, tensors, (), {**data, 'mode': 'loss'})
        return cast(Any, self.model).parse_losses(losses)[0]

    def dev_gradient(
        self, batches: Iterable[Any], num_images: int
    ) -> tuple[list[Tensor], float, DevScores]:
        """The gradient of the loss on D_v by the present weights, the loss, and the scores.

        The model is as in evaluation, but batch norm takes the statistics of the batch. So the
        loss does not change if a weight before batch norm is scaled, and the gradient is that of
        all that depends on the weights. Running averages depend on them too, but not
        differentiably.

        Args:
            batches: Of D_v.
            num_images: In all of them.
        """
        weights = [weight.detach().clone().requires_grad_() for weight in self._weights()]
        total = weights[0].new_zeros(())
        gradient = [torch.zeros_like(weight) for weight in weights]
        seen = []
        for logits, target in self._dev_logits(batches, weights):
            loss = measure(logits, target, self.dev_loss).sum() / num_images
            parts = torch.autograd.grad(loss, weights, allow_unused=True)
            for whole, part in zip(gradient, parts, strict=True):
                if part is not None:
                    whole += part
            total += loss.detach()
            seen.append((logits.detach(), target))
        return gradient, float(total), dev_scores(seen)

    @torch.no_grad()
    def score(self, batches: Iterable[Any]) -> DevScores:
        """The scores on D_v, of the model as in :meth:`dev_gradient`."""
        return dev_scores(self._dev_logits(batches, self._weights()))

    def _dev_logits(
        self, batches: Iterable[Any], weights: list[Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        measured = _Measured(self.model, self.head)
        for batch in batches:
            tensors = self._copied_buffers() | dict(zip(self.names, weights, strict=True))
            tensors = {f'model.{name}': tensor for name, tensor in tensors.items()}
            with _as_in_evaluation(self.model):
                data = self._preprocessed(batch, training=False)
                yield functional_call(measured, tensors, (data,))

    def _weights(self) -> list[Tensor]:
        return [weight for group in self.optimizer.param_groups for weight in group['params']]

    def _velocity(self, weight: Tensor) -> Tensor | None:
        return self.optimizer.state.get(weight, {}).get('momentum_buffer')

    def _copied_buffers(self) -> dict[str, Tensor]:
        return {name: buffer.detach().clone() for name, buffer in self.model.named_buffers()}

    def _preprocessed(self, batch: Any, training: bool) -> dict:
        return cast(Any, self.model).data_preprocessor(batch, training)


class _Measured(nn.Module):
    """The logits and the classes of a batch."""

    def __init__(self, model: nn.Module, head: TaughtHead) -> None:
        super().__init__()
        self.model = model
        self._head = (head,)  # in a tuple: a module of the model, not of this one

    def forward(self, data: dict) -> tuple[Tensor, Tensor]:
        feats = cast(Any, self.model).extract_feat(data['inputs'])
        return self._head[0].logits_and_target(feats, data['data_samples'])


def measure(logits: Tensor, target: Tensor, dev_loss: str) -> Tensor:
    """The loss (N,) on D_v; see :class:`Student`."""
    if dev_loss == 'cross_entropy':
        return F.cross_entropy(logits, target, reduction='none')
    return 1 - logits.softmax(dim=1).gather(1, target[:, None])[:, 0]


def _random_state() -> tuple[Tensor, Tensor | None]:
    return torch.get_rng_state(), device_random_state()


@contextmanager
def _generators_at(state: tuple[Tensor, Tensor | None]) -> Iterator[None]:
    """Torch's generators in a state of :func:`_random_state`; afterwards as before."""
    before = _random_state()
    try:
        torch.set_rng_state(state[0])
        set_device_random_state(state[1])
        yield
    finally:
        torch.set_rng_state(before[0])
        set_device_random_state(before[1])


@contextmanager
def _as_in_evaluation(model: nn.Module) -> Iterator[None]:
    """Every module in evaluation, but batch norm as it trains; afterwards all as before."""
    modes = {module: module.training for module in model.modules()}
    try:
        for module, training in modes.items():
            module.training = training and isinstance(module, _BatchNorm)
        yield
    finally:
        for module, training in modes.items():
            module.training = training
