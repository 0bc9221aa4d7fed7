"""Batches of P identities x K images each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Sampler

from amlfs_mm.registry import DATA_SAMPLERS
from amlfs_mm.utils.randomness import derive_seed

EPOCHS = ('full', 'short')


@DATA_SAMPLERS.register_module()
class IdentityBatchSampler(Sampler):
    """P different identities with K images each in every batch (Hermans et al., 1703.07737).

    Goes into ``train_dataloader.batch_sampler``. ``batch_size`` is P K, the batch of the whole
    model. Its replicas share it: each has P / replicas identities, so that the recipe is the same
    on any number of processes. (Elsewhere in OpenMMLab ``batch_size`` counts one process's images.)

    An epoch is ``full`` or ``short``.

    - ``full``: the images of each identity, in random order, are cut into groups of K. The last
      group is filled up with images drawn from the others. Of these groups as many batches are made
      as can be without an identity twice in a batch: about N / (P K), with Market-1501 over 180.
    - ``short``: one group of each identity, floor(identities / P) batches, 46 with Market-1501.
      Some published code calls this an epoch.

    The order depends only on the seed and the epoch of the wrapped sampler.

    Args:
        sampler: mmengine's ``DefaultSampler`` over the training set: its seed, epoch, rank.
        batch_size: P K.
        num_instances: K; drawn with replacement from identities that have fewer images.
        epoch: ``full`` or ``short``.

    Raises:
        ValueError: K does not divide the batch, the replicas do not divide P, the data have fewer
            than P identities, or a sample has no label or a negative one.
    """

    def __init__(
        self, sampler: Sampler, batch_size: int, num_instances: int = 4, epoch: str = 'full'
    ) -> None:
        if epoch not in EPOCHS:
            raise ValueError(f'epoch must be one of {list(EPOCHS)}, got {epoch!r}')
        if num_instances < 1 or batch_size < 1 or batch_size % num_instances:
            raise ValueError(
                f'batch_size={batch_size} is not a number of identities times '
                f'num_instances={num_instances}'
            )
        self.sampler = sampler
        self.num_identities = batch_size // num_instances
        self.num_instances = num_instances
        if self.num_identities % sampler.world_size:
            raise ValueError(
                f'{sampler.world_size} replicas cannot share the {self.num_identities} identities '
                f'of a batch (batch_size={batch_size}, num_instances={num_instances}) evenly'
            )
        self.images = group_by_label(sampler.dataset)
        if self.num_identities > len(self.images):
            raise ValueError(
                f'a batch of {batch_size} with {num_instances} images each needs '
                f'{self.num_identities} identities, but the training set has {len(self.images)}: '
                f'lower batch_size to {len(self.images) * num_instances} or less'
            )
        self._groups = {
            label: -(-len(images) // num_instances) if epoch == 'full' else 1
            for label, images in self.images.items()
        }
        self._length = count_batches(list(self._groups.values()), self.num_identities)
        images = sum(len(images) for images in self.images.values())
        print_log(
            f'Identity batches: an epoch ({epoch}) is {self._length} iterations of '
            f'{self.num_identities} identities x {num_instances} images; {len(self.images)} '
            f'identities, {images} images',
            logger='current',
        )

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[list[int]]:
        draw = np.random.default_rng(derive_seed(self.sampler.seed, self.sampler.epoch))
        groups = {label: self._draw_groups(images, draw) for label, images in self.images.items()}
        counts = {label: min(count, len(self)) for label, count in self._groups.items()}
        schedule = schedule_groups(counts, self.num_identities, len(self), draw)
        share = self.num_identities // self.sampler.world_size
        mine = slice(self.sampler.rank * share, (self.sampler.rank + 1) * share)
        for labels in schedule:
            # Every replica removes all groups, also those of the others: the next batch needs it.
            batch = [groups[label].pop() for label in labels]
            yield [index for group in batch[mine] for index in group]

    def _draw_groups(self, images: list[int], draw: np.random.Generator) -> list[list[int]]:
        """An identity's images in random order, in groups of K; the filled-up one comes first."""
        k = self.num_instances
        order = draw.permutation(images).tolist()
        missing = -len(order) % k
        if missing:
            whole = order[: len(order) - len(order) % k]
            pool = whole if len(whole) >= missing else order  # if possible, not twice in a group
            order += draw.choice(pool, missing, replace=len(pool) < missing).tolist()
        # Groups are taken from the end. If one is not used, it is the one with repetitions.
        return [order[start : start + k] for start in range(0, len(order), k)][::-1]


def group_by_label(dataset) -> dict[int, list[int]]:
    """The indices of each class, both ascending.

    Raises:
        ValueError: A sample has no label, or one that is no whole number from 0.
    """
    images = defaultdict(list)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        check_identity_label(index, info)
        images[int(info['gt_label'])].append(index)
    return {label: images[label] for label in sorted(images)}


def check_identity_label(index: int, info: dict) -> None:
    """Every sample has a label that is a whole number from 0.

    Raises:
        ValueError: A sample has no such label; the message names sample and label.

    When:
        The training loader is built.
    """
    label = info.get('gt_label')
    try:
        whole = int(label) == label and label >= 0
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise ValueError(
            f'sample {index} ({info.get("img_path", "no file")}) has the label {label!r}: batches '
            'of identities need a gt_label that is a whole number from 0'
        )


def count_batches(groups: list[int], width: int) -> int:
    """The most batches of ``width`` groups of different classes, given each class's groups.

    n batches can be made if and only if the classes, each at most once a batch, fill them:
    ``sum_i min(groups_i, n) >= n width``.
    """
    counts = np.array(groups)
    n = int(counts.sum()) // width
    while np.minimum(counts, n).sum() < n * width:
        n = int(np.minimum(counts, n).sum()) // width
    return n


def schedule_groups(
    groups: dict[int, int], width: int, length: int, draw: np.random.Generator
) -> np.ndarray:
    """The classes (length, width) of every batch, at random, all different in a batch.

    The groups of a class fill part of a row of a (width, length) table, and continue in the next
    row where the row ends (McNaughton's rule). A row is filled in random order. Only a class that
    continues from the row above avoids the batches it is in already. Classes have at most
    ``length`` groups each.

    Args:
        groups: How many groups each class has.
        width: Classes of a batch, P.
        length: Batches.
        draw: The random generator.
    """
    labels = draw.permutation(list(groups))
    line = np.repeat(labels, [groups[label] for label in labels])[: width * length]
    batches = np.empty((width, length), dtype=line.dtype)
    for row, classes in enumerate(line.reshape(width, length)):
        places = draw.permutation(length)
        if row:
            taken = batches[row - 1] == classes[0]  # the class that continues
            places = np.concatenate([places[~taken[places]], places[taken[places]]])
        batches[row, places] = classes
    return draw.permuted(batches.T, axis=1)
