"""What mmengine 0.10.7 and mmpretrain 1.2.0 lack on current torch, numpy and setuptools.

Every cure is here and runs once, on ``import amlfs_mm``. Their maintained forks (onedl-*) need none
of them, and nothing happens where the cause is absent.
"""

from __future__ import annotations

import importlib.util
import inspect
import pickle
import warnings

import numpy as np
import torch
from mmengine.config import config as mmengine_config
from mmengine.dataset import BaseDataset
from mmengine.logging import HistoryBuffer
from mmengine.utils import package_utils


def allow_history_buffers_in_checkpoints() -> None:
    """Let ``torch.load`` keep its ``weights_only`` guard and still read mmengine's checkpoints.

    They carry the message hub: HistoryBuffers over numpy arrays. A HistoryBuffer refers to its own
    statistics by ``getattr(HistoryBuffer, 'mean')``; `getattr` itself would be a gadget for a
    malicious file, so only these look-ups pass.
    """
    reconstruct = np._core.multiarray._reconstruct
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            (_history_statistic, 'builtins.getattr'),
            reconstruct,
            np._core.multiarray.scalar,
            np.ndarray,
            np.dtype,
            np.dtypes.Float64DType,
            np.dtypes.Float32DType,
            np.dtypes.Int64DType,
        ]
    )


def _history_statistic(owner: type, name: str):
    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(owner, name)
    raise pickle.UnpicklingError(f'a checkpoint may not look up {name!r} of {owner!r}')


def find_packages_without_pkg_resources() -> None:
    """``_base_ = ['mmpretrain::...']`` without pkg_resources, gone in setuptools 82.

    mmengine imports the two functions by name in several modules, so their code is replaced, not
    the names.
    """
    if importlib.util.find_spec('pkg_resources') is None:
        package_utils.is_installed.__code__ = _is_installed.__code__
        package_utils.get_installed_path.__code__ = _get_installed_path.__code__


def _is_installed(package: str) -> bool:
    import importlib.metadata
    import importlib.util

    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return importlib.util.find_spec(package) is not None
    return True


def _get_installed_path(package: str) -> str:
    import importlib.metadata
    import importlib.util
    import os.path

    module = package
    if importlib.util.find_spec(package) is None:  # a distribution of another name: mmcv-lite
        files = importlib.metadata.distribution(package).read_text('top_level.txt') or package
        module = files.split()[0]
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise RuntimeError(f'{package} has no installed path: it is a namespace package')
    return os.path.dirname(spec.origin)


def silence_mmcv_lite() -> None:
    """mmcv-lite warns at every import that it lacks an operator that nothing here uses."""
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')


def restore_in1d() -> None:
    """mmpretrain's retrieval metrics call ``np.in1d``, gone in numpy 2.4; isin is its new name."""
    if not hasattr(np, 'in1d'):
        np.in1d = np.isin  # noqa: NPY201


def forget_earlier_copies_of_datasets() -> None:
    """``BaseDataset.get_subset`` keeps what it copied for the life of the process.

    The default ``memo`` of its deep copy is one dictionary for all calls, keyed by ``id``. Once a
    data set is gone its address may be that of, say, a transform, which is then "copied" as that
    data set: rarely, and anywhere a fold or a subset is built twice in a process.
    """
    copy = BaseDataset._copy_without_annotation
    if isinstance(inspect.signature(copy).parameters['memo'].default, dict):
        BaseDataset._copy_without_annotation = lambda dataset, memo=None: copy(
            dataset, {} if memo is None else memo
        )


def format_a_config_once() -> None:
    """mmengine formats the config's text for every checkpoint anew, which takes longer than saving.

    It still writes the config's text as it is then; only a text that has been formatted before is
    not parsed and laid out again.
    """
    format_code = getattr(mmengine_config, 'FormatCode', None)
    if format_code is None:
        return
    formatted: dict[str, tuple[str, bool]] = {}

    def format_once(text: str, **options) -> tuple[str, bool]:
        if text not in formatted:
            formatted.clear()  # one config a process is the rule
            formatted[text] = format_code(text, **options)
        return formatted[text]

    mmengine_config.FormatCode = format_once


allow_history_buffers_in_checkpoints()
format_a_config_once()
forget_earlier_copies_of_datasets()
find_packages_without_pkg_resources()
restore_in1d()
silence_mmcv_lite()
