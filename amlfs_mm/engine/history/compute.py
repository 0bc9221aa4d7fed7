"""What a training run pays for, the same on any number of processes."""

from __future__ import annotations

from mmengine.runner import Runner

from amlfs_mm.utils.randomness import seeded


def compute_of(runner: Runner, candidate_epochs: int, replicas: int) -> dict[str, int]:
    """What a run trained, without what was repeated after an interruption.

    Args:
        runner: Its loader says how many images an epoch has.
        candidate_epochs: Models trained for an epoch.
        replicas: Processes that share a model's batches.

    Returns:
        ``candidate_epochs``; ``images_per_epoch`` of one model, repetitions by its sampler counted;
        ``images``, their product.
    """
    sampler = runner.train_dataloader.batch_sampler
    sampler = getattr(sampler, 'batch_sampler', sampler)  # without the seeds of each sample
    with seeded(0):
        images = replicas * sum(len(batch) for batch in sampler)
    return dict(
        candidate_epochs=candidate_epochs,
        images_per_epoch=images,
        images=candidate_epochs * images,
    )
