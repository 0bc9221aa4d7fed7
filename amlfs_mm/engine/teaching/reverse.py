"""Reverse-mode differentiation through a window of training steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .sgd import sgd_step
from .student import Step, Student


def reverse(student: Student, steps: Sequence[Step], dev_gradient: list[Tensor]) -> list[Tensor]:
    """The gradients of the loss on D_v, after a window's steps, by the phi of each step.

    From the last step to the first, a step is computed once more from what was recorded before it,
    and the gradients by the weights and velocities after it become those by the weights and
    velocities before it, and by its phi. One step's activations are in memory at a time.

    Source: the reverse-mode differentiation of Wu et al., NeurIPS 2018, section 3.3; there through
    all steps of a training.

    Args:
        student: Whose steps they are.
        steps: K steps, the first one first.
        dev_gradient: Of the loss on D_v by the weights after the last step.

    Returns:
        K tensors (C, C + 1).
    """
    by_weight: list[Tensor] = list(dev_gradient)
    by_velocity: list[Tensor | None] = [None] * len(dev_gradient)
    by_phi = []
    for step in reversed(steps):
        by_weight, by_velocity, gradient = _reverse_step(student, step, by_weight, by_velocity)
        by_phi.append(gradient)
    return by_phi[::-1]


def _reverse_step(
    student: Student, step: Step, by_weight: list[Tensor], by_velocity: list[Tensor | None]
) -> tuple[list[Tensor], list[Tensor | None], Tensor]:
    """The gradients by what was before a step, from those by what is after it."""
    weights = [weight.requires_grad_() for weight in step.weights]
    velocities = [v if v is None else v.requires_grad_() for v in step.velocities]
    phi = step.phi.detach().requires_grad_()
    loss = student.training_loss(step, weights, phi)
    gradients = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)

    after: list[Tensor] = []
    gradients_after: list[Tensor] = []  # by each tensor in `after`
    for i, gradient in enumerate(gradients):
        if gradient is None:  # the loss does not depend on it: torch's SGD leaves it as it is
            weight, velocity = weights[i], velocities[i]
        else:
            weight, velocity = sgd_step(weights[i], velocities[i], gradient, step.options[i])
        after.append(weight)
        gradients_after.append(by_weight[i])
        if (of_velocity := by_velocity[i]) is not None and velocity is not None:
            after.append(velocity)
            gradients_after.append(of_velocity)

    known = {i: velocity for i, velocity in enumerate(velocities) if velocity is not None}
    inputs = [*weights, *known.values(), phi]
    found = torch.autograd.grad(after, inputs, gradients_after, allow_unused=True)
    new_by_velocity: list[Tensor | None] = [None] * len(weights)
    for i, gradient in zip(known, found[len(weights) : -1], strict=True):
        new_by_velocity[i] = gradient
    new_by_weight = [
        torch.zeros_like(weight) if gradient is None else gradient
        for weight, gradient in zip(weights, found, strict=False)
    ]
    of_phi = torch.zeros_like(phi) if found[-1] is None else found[-1]
    return new_by_weight, new_by_velocity, of_phi
