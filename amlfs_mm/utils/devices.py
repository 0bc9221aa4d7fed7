"""The device that this process computes on, and what only CUDA has.

Every other file asks for "the model's device". Pinned memory, memory queries, NCCL, the choice of a
GPU and the device's random numbers stand here, once.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from mmengine.device import get_device
from torch import Tensor


def this_device() -> torch.device:
    """The device that mmengine puts this process's model on, with its index if it has one."""
    device = torch.device(get_device())
    if device.type == 'cpu':
        return device
    return torch.device(device.type, torch.get_device_module(device).current_device())


def device_random_state() -> Tensor | None:
    """The state of the device's generator; None on a CPU, where it is torch's default one."""
    device = this_device()
    return None if device.type == 'cpu' else torch.get_device_module(device).get_rng_state()


def set_device_random_state(state: Tensor | None) -> None:
    """Set the device's generator to a state; one of another machine's GPU does nothing on a CPU."""
    device = this_device()
    if state is not None and device.type != 'cpu':
        torch.get_device_module(device).set_rng_state(state)


def has_bfloat16_arithmetic(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 itself. A processor without such instructions imitates
    them, and is then several times slower than in float32.
    """
    if device.type == 'cpu':
        # torch has no public name for this question. Without oneDNN it cannot be asked.
        known = torch.backends.mkldnn.is_available()
        return not known or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return device.type != 'cuda' or torch.cuda.is_bf16_supported(including_emulation=False)


def choose_gpu(local_rank: int) -> None:
    """Let this process compute on the GPU of its rank in the node; the processes share GPUs in
    turn if there are fewer. Without a GPU nothing happens.
    """
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank % torch.cuda.device_count())


def job_backend(wanted: str) -> str:
    """The backend of ``torch.distributed`` for this machine: gloo where there is no GPU."""
    return wanted if torch.cuda.is_available() else 'gloo'


def wire_device(group: dist.ProcessGroup | None = None) -> torch.device:
    """Where tensors must lie for a group to send them: on the GPU for NCCL, else on the CPU."""
    return this_device() if dist.get_backend(group) == 'nccl' else torch.device('cpu')


def pins_memory(device_type: str) -> bool:
    """Whether copies between the host and such a device are faster from pinned memory."""
    return device_type == 'cuda'


def free_memory(device: torch.device) -> int | None:
    """Bytes that are free on a GPU; None on a device that cannot be asked."""
    return torch.cuda.mem_get_info(device)[0] if device.type == 'cuda' else None
