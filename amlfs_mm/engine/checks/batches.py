"""Whether the loaders give the batches that a run needs."""

from __future__ import annotations

from collections.abc import Sized
from itertools import islice
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import all_gather_object, get_world_size
from mmengine.evaluator import Evaluator
from mmengine.runner import EpochBasedTrainLoop, Runner

from amlfs_mm.utils.randomness import generators_kept, seed_cpu

from .annotations import LIMIT, image_path, sample_key, sampled_annotations
from .labels import check_class_folders

ORDER_SHOWN = 1000
"""Indices by which two orders of a sampler are compared."""


def index_sampler(loader: Any) -> Any:
    """What draws the indices of single images; None if a batch sampler does without."""
    batch_sampler = getattr(loader.batch_sampler, 'batch_sampler', loader.batch_sampler)
    return getattr(batch_sampler, 'sampler', None)


def check_samplers(runner: Runner) -> None:
    """In a training by epochs, an epoch of the sampler ends.

    Raises:
        ValueError: The sampler is mmengine's InfiniteSampler.

    When:
        Every training starts.
    """
    sampler = index_sampler(runner.train_dataloader)
    by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
    if by_epoch and isinstance(sampler, InfiniteSampler):
        raise ValueError(
            f'train_dataloader.sampler is {type(sampler).__name__}, which never ends an epoch, but '
            "training is by epochs: set sampler=dict(type='DefaultSampler', shuffle=True), or "
            'train_cfg=dict(by_epoch=False, max_iters=...)'
        )


def check_iterations(loader: Any) -> None:
    """An epoch has at least one iteration.

    Raises:
        ValueError: The training set is empty, or smaller than a batch that has to be full.

    When:
        Every training starts.
    """
    try:
        images, batches = len(loader.dataset), len(loader)
    except TypeError:  # an iterable data set does not know
        return
    if images == 0:
        raise ValueError(empty_data('train_dataloader', type(loader.dataset).__name__))
    if batches == 0:
        batch_size = getattr(loader.batch_sampler, 'batch_size', loader.batch_size)
        share = share_of_replica(index_sampler(loader), images)
        raise ValueError(
            f'train_dataloader gives no batch: {share} are fewer than batch_size={batch_size}, and '
            'drop_last=True leaves out what does not fill a batch. Lower batch_size, or set '
            'drop_last=False'
        )


def empty_data(loader: str, kind: str) -> str:
    """The message for a data set without images.

    Args:
        loader: The name of its loader's config.
        kind: The name of its class.
    """
    use = 'train with' if loader == 'train_dataloader' else 'evaluate'
    return f'{loader}.dataset ({kind}) is empty: there is nothing to {use}'


def check_replicas(loader: Any) -> None:
    """The replicas of a model share the images of an epoch, as many for each.

    Raises:
        ValueError: The replicas have different numbers of images or batches, so that one would
            wait for ever; or each has all images.

    When:
        Every training on several processes starts.
    """
    replicas = get_world_size()
    sampler = index_sampler(loader)
    if replicas == 1 or sampler is None or isinstance(sampler, InfiniteSampler):
        return
    counts = all_gather_object((len(sampler), len(loader)))
    if len(set(counts)) > 1:
        raise ValueError(
            f'the {replicas} replicas of a model have different numbers of images in an epoch, '
            f'{[images for images, _ in counts]}: leave round_up=True in train_dataloader.sampler '
            f'({type(sampler).__name__})'
        )
    images = len(loader.dataset)
    if images > 1 and len(sampler) >= images:
        raise ValueError(
            f'each of the {replicas} replicas of a model would train all {images} images: '
            f'train_dataloader.sampler ({type(sampler).__name__}) does not share them out. Use '
            "sampler=dict(type='DefaultSampler', shuffle=True), or divide by mmengine.dist.get_rank"
        )


def check_data_order(loader: Any) -> None:
    """The order of the images follows from ``set_epoch`` and the seeds of the process alone.

    A search trains every candidate in an order of its own, in whichever process.

    Raises:
        ValueError: The sampler goes on with random numbers of its own from one epoch to the next.

    When:
        A search or a replay starts.
    """
    batch_sampler = getattr(loader.batch_sampler, 'batch_sampler', loader.batch_sampler)
    sampler = getattr(batch_sampler, 'sampler', batch_sampler)
    if sampler is None:
        return
    orders = [_order(sampler, seed) for seed in (0, 0, 1)]
    if orders[0] != orders[1]:
        reason = 'two epochs with the same seeds have different orders'
    elif get_world_size() > 1 and orders[0] != orders[2]:
        reason = 'its order depends on the seed of each process, so that replicas share no order'
    else:
        return
    raise ValueError(
        f'train_dataloader.sampler ({type(sampler).__name__}) cannot be used in a search: '
        f"{reason}. Use sampler=dict(type='DefaultSampler', shuffle=True), or let the order follow "
        'from set_epoch(epoch)'
    )


def _order(sampler: Any, seed: int) -> list:
    with generators_kept():
        seed_cpu(seed)
        if hasattr(sampler, 'set_epoch'):
            sampler.set_epoch(0)
        return list(islice(iter(sampler), ORDER_SHOWN))


def check_evaluation_data(loader: Any, name: str) -> None:
    """Every image of the data is evaluated, and once.

    Args:
        loader: Of the evaluation.
        name: Of its config.

    Raises:
        ValueError: There is no image, or the loader leaves out the last ones, or its sampler or
            data set repeats some.

    When:
        Every training with an evaluation, and every evaluation by itself starts.
    """
    if isinstance(loader.dataset, Sized) and not len(loader.dataset):
        raise ValueError(empty_data(name, type(loader.dataset).__name__))
    check_not_augmented(loader.dataset, name)
    check_split(loader.dataset, name)
    check_class_folders(loader.dataset, name)
    check_no_repetition(loader.dataset, name)
    check_listed_once(loader.dataset, name)
    sampler = index_sampler(loader)
    if sampler is None:
        return
    kind = type(sampler).__name__
    if isinstance(sampler, InfiniteSampler) or getattr(sampler, 'num_repeats', 1) > 1:
        raise ValueError(
            f'{name}.sampler is {kind}, which does not give every image once: set '
            "sampler=dict(type='DefaultSampler', shuffle=False)"
        )
    batches = loader.batch_sampler
    drops = getattr(batches, 'drop_last', False)
    rest = len(sampler) % batches.batch_size if drops else 0
    if rest:
        share = share_of_replica(sampler, len(loader.dataset))
        raise ValueError(
            f'{name}.drop_last=True leaves {rest} of {share} out of the evaluation: set it to False'
        )


def check_scored_fields(evaluator: Evaluator, dataset: Any) -> None:
    """The first sample has the fields that the metrics read, such as ``person_id``.

    Args:
        evaluator: Its metrics of this package know what they read.
        dataset: The data that it scores.

    Raises:
        ValueError: A field is not there.

    When:
        Every training with an evaluation, and every evaluation by itself starts.
    """
    metrics: list[Any] = [m for m in evaluator.metrics if hasattr(m, 'check_sample')]
    if not metrics:
        return
    try:
        with generators_kept():
            sample = dataset[0]['data_samples'].to_dict()
    except Exception:  # the evaluation will show what is wrong with the sample
        return
    for metric in metrics:
        metric.check_sample(sample)


def check_no_repetition(dataset: Any, name: str) -> None:
    """Data that are evaluated hold every image once.

    Args:
        dataset: The data set; also one made of others.
        name: The name of its loader's config.

    Raises:
        ValueError: A wrapper repeats images, or one data set is put together with itself.

    When:
        Every training with an evaluation, and every evaluation by itself starts.
    """
    parts = list(getattr(dataset, 'datasets', []))
    # Inner ones first: outer ones may pass on their attributes.
    for part in [getattr(dataset, 'dataset', None), *parts]:
        if part is not None:
            check_no_repetition(part, name)
    twice = len({id(part) for part in parts}) < len(parts)
    if twice or getattr(dataset, 'times', 1) > 1 or hasattr(dataset, 'repeat_indices'):
        raise ValueError(
            f'{name}.dataset is {type(dataset).__name__}, which gives images several times: each '
            'would count several times in the score. Evaluate the data set itself'
        )


def check_not_augmented(dataset: Any, name: str) -> None:
    """Images in memory that are evaluated are neither cropped nor flipped at random.

    Args:
        dataset: The data set; also one made of others.
        name: The name of its loader's config.

    Raises:
        ValueError: It is ``InMemoryImages`` that augments, as it does by default: two evaluations
            of one model would differ.

    When:
        Every training with an evaluation, and every evaluation by itself starts.
    """
    from amlfs_mm.datasets import InMemoryImages  # mmpretrain: only when there is a run

    if isinstance(dataset, InMemoryImages) and dataset.augments:
        raise ValueError(
            f'{name}.dataset is InMemoryImages(padding={dataset.padding}, '
            f'flip_prob={dataset.flip_prob}), which crops and flips at random: set padding=0 and '
            'flip_prob=0 for data that are evaluated'
        )
    for part in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', [])]:
        if part is not None:
            check_not_augmented(part, name)


def check_listed_once(dataset: Any, name: str) -> None:
    """Data that are evaluated list no image file twice, neither in one part nor in several.

    Samples of one file that differ in anything else, such as a box, are different. Of more than
    20,000 samples some are looked at. Images that are no files are compared by their pixels; as
    data sets may hold some images twice, only more than half of a part count.

    Args:
        dataset: The data set; also one made of others.
        name: The name of its loader's config.

    Raises:
        ValueError: An image is listed twice, or two parts hold the same images.

    When:
        Every training with an evaluation, and every evaluation by itself starts.
    """
    parts = list(getattr(dataset, 'datasets', [])) or [dataset]
    seen: set[str] = set()
    for part in parts:
        before, pixels, repeated = set(seen), 0, 0
        for _, info in sampled_annotations(part, LIMIT // len(parts)):
            key = sample_key(info)
            path = image_path(info)
            if path and key in seen:
                raise ValueError(
                    f'{name}.dataset ({type(dataset).__name__}) lists {path} several times: the '
                    'image would count several times in the score. List each image once'
                )
            pixels += key is not None
            repeated += key in before
            seen |= {key} if key else set()
        if repeated > pixels / 2:
            raise ValueError(
                f'{name}.dataset ({type(dataset).__name__}) puts data sets together that hold the '
                f'same images ({repeated} of {pixels} of one part): each would count several '
                'times in the score. Take one of them'
            )


def check_split(dataset: Any, name: str) -> None:
    """A data set reads the files of the split that its config names.

    mmpretrain's ``MNIST`` and ``FashionMNIST`` read the training files unless ``test_mode`` is set.

    Args:
        dataset: The data set; also one made of others.
        name: The name of its loader's config.

    Raises:
        ValueError: Its ``split`` is ``'test'``, and it would read the training files.

    When:
        Every training with an evaluation, and every evaluation by itself starts.
    """
    for part in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', [])]:
        if part is not None:
            check_split(part, name)
    is_mnist = any(kind.__name__ == 'MNIST' for kind in type(dataset).__mro__)
    if is_mnist and dataset.split == 'test' and not dataset.test_mode:
        raise ValueError(
            f"{name}.dataset is {type(dataset).__name__} with split='test', but it reads the "
            'training files unless test_mode=True is set too: set it'
        )


def share_of_replica(sampler: Any, images: int) -> str:
    """``100 images``, or ``50 of 100 images for each of 2 replicas``."""
    replicas = get_world_size()
    if replicas == 1 or sampler is None:
        return f'{images} images'
    return f'{len(sampler)} of {images} images for each of {replicas} replicas'
