"""A few images with any labels, files of two formats, and a runner that would train on them."""

from __future__ import annotations

import struct
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, RUNNERS
from mmengine.runner import Runner

from helpers.runs import TINY_SEARCH

PACK = [dict(type='mmpretrain.PackInputs')]
SOFTMAX = dict(type='amlfs_mm.SoftmaxHead', num_classes=10, in_channels=16, _delete_=True)


@DATASETS.register_module()
class Labelled(BaseDataset):
    """Images of 8 x 8 with the labels, and the paths and class names if any, that are given."""

    def __init__(
        self,
        labels: list | int,
        paths: list[str] | None = None,
        classes: list[str] | None = None,
        pipeline: list = PACK,
        **kwargs: Any,
    ) -> None:
        self.labels = [i % 10 for i in range(labels)] if isinstance(labels, int) else labels
        self.paths = paths
        metainfo = dict(classes=classes) if classes else None
        super().__init__(metainfo=metainfo, pipeline=pipeline, **kwargs)

    def get_cat_ids(self, idx: int) -> list[int]:
        return [self.labels[idx]]

    def load_data_list(self) -> list[dict]:
        generator = np.random.default_rng(0)
        data = []
        for number, label in enumerate(self.labels):
            info = dict(img=generator.integers(256, size=(8, 8, 3), dtype=np.uint8))
            info |= {} if label is None else dict(gt_label=label)
            info |= dict(img_path=self.paths[number]) if self.paths else {}
            data.append(info)
        return data


def runner_on(
    tmp_path: Path, dataset: dict | None = None, search: bool = False, **changes: Any
) -> Runner:
    """A runner of the tiny search, or of plain softmax, in this process.

    Args:
        tmp_path: The work dir.
        dataset: In place of the training set.
        search: Whether to search.
        changes: Merged into the config.
    """
    cfg = Config.fromfile(TINY_SEARCH)
    data = {} if dataset is None else dict(dataset=dict(dataset, _delete_=True))
    plain = {} if search else dict(custom_hooks=[], model=dict(head=SOFTMAX))
    for part in (plain, dict(train_dataloader=data), changes):
        cfg = Config(Config._merge_a_into_b(deepcopy(part), cfg._cfg_dict))
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = f'{tmp_path.name}_{uuid4()}'  # mmengine keeps one logger a name
    return RUNNERS.build(cfg)


def write_mnist(folder: Path, name: str, count: int) -> None:
    """MNIST's two files of black images; image i has the label i % 10."""
    header = struct.pack('>IIII', 0x803, count, 28, 28)
    (folder / f'{name}-images-idx3-ubyte').write_bytes(header + bytes(count * 28 * 28))
    header = struct.pack('>II', 0x801, count)
    labels = (np.arange(count) % 10).astype(np.uint8)
    (folder / f'{name}-labels-idx1-ubyte').write_bytes(header + labels.tobytes())


def write_archive(folder: Path, split: str, labels: list[int], classes: int = 10) -> np.ndarray:
    """An archive of :class:`amlfs_mm.JPEGArchive`, of 32 x 32; returns its images (N, 32, 32, 3).

    The images are noise, as PNG in place of JPEG, so that decoding gives exactly these (BGR).
    """
    images = np.random.default_rng(len(split)).integers(
        256, size=(len(labels), 32, 32, 3), dtype=np.uint8
    )
    encoded = [cv2.imencode('.png', image)[1].ravel() for image in images]
    np.savez(
        folder / f'{split}.npz',
        jpeg=np.concatenate(encoded),
        end=np.cumsum([len(content) for content in encoded]),
        label=np.array(labels, np.uint8),
        classes=np.array([f'class {number}' for number in range(classes)]),
    )
    return images
