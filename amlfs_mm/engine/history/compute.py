"""How much a training run computes: the same number on any number of processes."""

from __future__ import annotations

from mmengine.runner import Runner

from amlfs_mm.utils.randomness import seeded


def compute_of(runner: Runner, candidate_epochs: int, replicas: int) -> dict[str, int]:
    """How much a run trained. What was repeated after an interruption is not counted.

    Args:
        runner: The run; its loader gives the images of an epoch.
        candidate_epochs: How many models were trained for an epoch.
        replicas: Processes that train one model together.

    Returns:
        ``candidate_epochs``; ``images_per_epoch`` of one model, in which an image that the sampler
        repeats counts each time; ``images``, their product.
    """
    sampler = runner.train_dataloader.batch_sampler
    sampler = getattr(sampler, 'batch_sampler', sampler)  # the one below SeededBatchSampler
    with seeded(0):
        images = replicas * sum(len(batch) for batch in sampler)
    return dict(
        candidate_epochs=candidate_epochs,
        images_per_epoch=images,
        images=candidate_epochs * images,
    )
