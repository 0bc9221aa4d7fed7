"""How much memory training states take, and where they go."""

from __future__ import annotations

import torch
from mmengine.runner import Runner
from torch import Tensor, nn

from amlfs_mm.utils.devices import free_memory

from ..runner_access import accumulates_gradients
from .optimizers import parameters_of, wrappers_of
from .training_state import modules_of, tensors_of


def estimate_bytes(runner: Runner) -> int:
    """Bytes of one :class:`TrainingState`, with the moments that the optimizers will have."""
    tensors = [tensor for module in modules_of(runner) for tensor in tensors_of(module).values()]
    total = sum(tensor.nbytes for tensor in tensors)
    for wrapper in wrappers_of(runner):
        per_number = _moments(wrapper.optimizer) + accumulates_gradients(wrapper)
        total += per_number * sum(parameter.nbytes for parameter in parameters_of(wrapper))
    return total


def _moments(optimizer: torch.optim.Optimizer) -> int:
    """How many numbers an optimizer keeps for each weight, found by a trial on two weights."""
    trial = nn.Parameter(torch.zeros(2))
    trial.grad = torch.zeros(2)
    try:
        same = type(optimizer)([trial], **optimizer.defaults)
        same.step()
    except (TypeError, ValueError, RuntimeError):  # an optimizer that cannot be built like this
        return 2  # Adam's
    return sum(isinstance(v, Tensor) and v.numel() == 2 for v in same.state[trial].values())


def choose_memory(runner: Runner, wanted: str, states: int = 2) -> bool:
    """Whether captured states go to host memory.

    Args:
        runner: The runner whose states are captured.
        states: How many there are at a time.
        wanted: ``'device'`` or ``'host'``. ``'device'`` holds only if the states fit into half of
            the memory that is free before training: activations need memory too.
    """
    if wanted == 'host':
        return True
    free = free_memory(next(runner.model.parameters()).device)
    return free is not None and states * estimate_bytes(runner) > free / 2
