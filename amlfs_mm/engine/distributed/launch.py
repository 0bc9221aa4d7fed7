"""How a process joins the job that a launcher (torchrun, Slurm) has started."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta

import torch.distributed as dist

from amlfs_mm.utils.devices import choose_gpu, job_backend

SLURM_NAMES = dict(RANK='SLURM_PROCID', WORLD_SIZE='SLURM_NTASKS', LOCAL_RANK='SLURM_LOCALID')
TORCHRUN_NAMES = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')


def init_distributed(launcher: str, backend: str = 'nccl', timeout: float = 1800, **kwargs) -> None:
    """Make this process a member of the job, with or without GPUs.

    mmengine's ``init_dist`` needs a GPU for each process. Here the processes of a node share its
    GPUs if there are more processes than GPUs, and use gloo if there is no GPU.

    Args:
        launcher: ``pytorch`` (torchrun) or ``slurm``.
        backend: As in ``env_cfg.dist_cfg``; gloo in its place without a GPU.
        timeout: Seconds after which a collective that hangs is an error.
        kwargs: As in ``torch.distributed.init_process_group``.

    Raises:
        ValueError: The launcher is unknown, or its environment variables are missing, or the
            timeout is not positive.
    """
    needed = dict(pytorch=TORCHRUN_NAMES, slurm=SLURM_NAMES.values())
    if launcher not in needed:
        raise ValueError(f"launcher must be 'none', 'pytorch' or 'slurm', got {launcher!r}")
    missing = [name for name in needed[launcher] if name not in os.environ]
    if missing:
        start = dict(
            pytorch='tools/dist_train.sh or torchrun', slurm='tools/slurm_train.sh or srun'
        )
        raise ValueError(
            f'launcher {launcher!r} needs the environment variables {missing}: start the job with '
            f'{start[launcher]}, or drop --launcher for one process'
        )
    if not isinstance(timeout, (int, float)) or timeout <= 0:
        raise ValueError(f'env_cfg.dist_cfg.timeout must be seconds > 0, got {timeout!r}')
    if launcher == 'slurm':
        _name_slurm_job_as_torchrun()
    choose_gpu(int(os.environ['LOCAL_RANK']))
    backend = job_backend(backend)
    limit = timedelta(seconds=timeout)
    if 'init_method' not in kwargs:
        # torchrun's store outlives a restart, with the addresses of the processes before it.
        store, rank, size = next(dist.rendezvous('env://', timeout=limit))
        attempt = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
        store = dist.PrefixStore(f'attempt_{attempt}', store)
        kwargs |= dict(store=store, rank=rank, world_size=size)
    dist.init_process_group(backend, timeout=limit, **kwargs)


def _name_slurm_job_as_torchrun() -> None:
    for name, slurm_name in SLURM_NAMES.items():
        os.environ[name] = os.environ[slurm_name]
    if 'MASTER_PORT' not in os.environ:
        # Jobs may share a node. These ports lie below Linux's range for outgoing connections.
        os.environ['MASTER_PORT'] = str(15000 + int(os.environ['SLURM_JOB_ID']) % 10000)
    if 'MASTER_ADDR' not in os.environ:
        hosts = subprocess.run(
            ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']],
            capture_output=True,
            text=True,
            check=True,
        )
        os.environ['MASTER_ADDR'] = hosts.stdout.split()[0]
