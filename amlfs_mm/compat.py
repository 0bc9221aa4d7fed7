"""Fixes for mmengine 0.10.7 and mmpretrain 1.2.0 on current torch, numpy and setuptools.

All of them are here and run once, on ``import amlfs_mm``. A fix whose cause is absent does nothing:
the maintained forks (onedl-*) need one only, :func:`know_configs_of_amlfs_mm`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import sys
import warnings
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.config import config as mmengine_config
from mmengine.config import utils as config_utils
from mmengine.dataset import BaseDataset
from mmengine.logging import HistoryBuffer
from mmengine.utils import package_utils


def allow_history_buffers_in_checkpoints() -> None:
    """Let ``torch.load`` keep its ``weights_only`` guard and still read mmengine's checkpoints.

    The checkpoints hold the message hub: HistoryBuffers over numpy arrays. A HistoryBuffer refers
    to its own statistics by ``getattr(HistoryBuffer, 'mean')``. A malicious file could misuse
    `getattr`: only these look-ups are allowed.
    """
    multiarray: Any = importlib.import_module('numpy._core.multiarray')
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            (_history_statistic, 'builtins.getattr'),
            multiarray._reconstruct,
            multiarray.scalar,
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
    """Make ``_base_ = ['mmpretrain::...']`` work without pkg_resources.

    It is gone in setuptools 82, and it does not find packages that are installed editable. Several
    modules of mmengine import the two functions by name: their code is replaced, not the names.
    """
    if 'pkg_resources' in package_utils.get_installed_path.__code__.co_names:
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


def know_configs_of_amlfs_mm() -> None:
    """Make ``amlfs_mm::...`` work in ``_base_`` and in ``mmengine.hub``.

    mmengine loads configs from the packages of a fixed table only, and from folders of ``configs/``
    only, not from ``configs/`` itself. It looks for the files in ``amlfs_mm/.mim/``. In a config of
    another package mmengine gives every ``type`` without a scope that package's scope. Our configs
    mean mmpretrain's components by such names (``default_scope``), so they get none.
    """
    config_utils.MODULE2PACKAGE.setdefault('amlfs_mm', 'amlfs_mm')
    split = config_utils._get_package_and_cfg_path

    def split_path(path: str) -> tuple[str, str]:
        package, _, config = path.partition('::')
        if package == 'amlfs_mm' and '/' not in config:
            return package, config
        return split(path)

    find = Config._get_cfg_path

    def find_config(path: str, filename: str) -> tuple[str, str | None]:
        found, scope = find(path, filename)
        return found, None if scope == 'amlfs_mm' else scope

    Config._get_cfg_path = staticmethod(find_config)
    # Three modules have imported it by name; the third one may not be there yet.
    for name in ('mmengine.config.utils', 'mmengine.config.config', 'mmengine.hub.hub'):
        if name in sys.modules:
            setattr(sys.modules[name], '_get_package_and_cfg_path', split_path)  # noqa: B010


def silence_mmcv_lite() -> None:
    """Silence mmcv-lite's warning that it lacks an operator, which nothing here uses."""
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')


def restore_in1d() -> None:
    """Restore ``np.in1d`` for mmpretrain's retrieval metrics; numpy 2.4 has only ``np.isin``."""
    if not hasattr(np, 'in1d'):
        setattr(np, 'in1d', np.isin)  # noqa: B010  (unknown to type checkers)


def forget_earlier_copies_of_datasets() -> None:
    """Let ``BaseDataset.get_subset`` start each copy afresh.

    The default ``memo`` of its deep copy is one dictionary for all calls, keyed by ``id``. When a
    data set is gone, another object, such as a transform, may get its address: it is then "copied"
    as that data set. This happens rarely, in any process that builds several folds or subsets.
    """
    copy = BaseDataset._copy_without_annotation
    if isinstance(inspect.signature(copy).parameters['memo'].default, dict):
        BaseDataset._copy_without_annotation = lambda dataset, memo=None: copy(
            dataset, {} if memo is None else memo
        )


def format_a_config_once() -> None:
    """Keep the formatted text of a config until the config changes.

    For every checkpoint mmengine formats the config anew, which takes longer than saving.
    """
    format_code = getattr(mmengine_config, 'FormatCode', None)
    if format_code is None:
        return
    formatted: dict[str, tuple[str, bool]] = {}

    def format_once(text: str, **options) -> tuple[str, bool]:
        if text not in formatted:
            formatted.clear()  # a process has one config, as a rule
            formatted[text] = format_code(text, **options)
        return formatted[text]

    mmengine_config.FormatCode = format_once


allow_history_buffers_in_checkpoints()
format_a_config_once()
forget_earlier_copies_of_datasets()
find_packages_without_pkg_resources()
know_configs_of_amlfs_mm()
restore_in1d()
silence_mmcv_lite()
