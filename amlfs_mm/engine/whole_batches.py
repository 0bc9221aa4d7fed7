"""The parts of a runner that keep a batch in a few tensors, from the images to the metric.

mmengine and mmpretrain handle a batch sample by sample, which takes longer than a small network
needs for it. These parts give the same numbers. Components of mmpretrain that know nothing of them
get data samples as ever.
"""

from __future__ import annotations

from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from amlfs_mm.utils.model_wrappers import unwrapped

from .switched_pipelines import epochs_of_switches

# The parts are imported when a runner is built: they bring mmpretrain with them.


def train_whole_batches(runner: Runner) -> None:
    """Let a runner train with whole batches, also a plain Runner, whose config is the same.

    Images in memory are augmented with other random numbers than images that are loaded one by
    one. So a search or a replay needs them on a plain Runner too, to be the same there. On a
    LossSearchRunner nothing is left to do.
    """
    loop = runner.train_loop
    loop.dataloader = load_training_batches(runner, loop.dataloader)
    leave_batches_whole(unwrapped(runner.model))


def load_training_batches(runner: Runner, loader: DataLoader) -> DataLoader:
    """The training loader, its images in memory if they fit.

    A run looks at it once. The runner remembers what came back, so that nothing is loaded, and
    nothing said, a second time.
    """
    if getattr(runner, 'amlfs_training_loader', None) is not loader:
        loader = load_whole_batches(loader, memory_for_training(runner))
        runner.amlfs_training_loader = loader
    return loader


def memory_for_training(runner: Runner) -> float:
    """GiB of memory for the training images; none if a hook gives them another pipeline later."""
    max_gib = runner.cfg.get('in_memory_gib', 0)
    if not max_gib or not (epochs := epochs_of_switches(runner.hooks)):
        return max_gib
    runner.logger.info(
        'Images are loaded one by one: images in memory have gone through one pipeline, and '
        f'SwitchRecipeHook sets another one at epoch {epochs[0]}'
    )
    return 0


def load_whole_batches(loader: DataLoader, max_gib: float) -> DataLoader:
    """The loader, its images in memory if they fit into so many GiB.

    Raises:
        ValueError: ``max_gib`` is no number from 0.
    """
    from amlfs_mm.datasets.loading.whole_batches import with_whole_batches

    if not isinstance(max_gib, (int, float)) or not max_gib >= 0:
        raise ValueError(f'in_memory_gib must be a number >= 0, got {max_gib!r}')
    return with_whole_batches(loader, max_gib)


def leave_batches_whole(model: nn.Module) -> None:
    """Let a model of mmpretrain normalise such batches as a whole."""
    from mmpretrain.models import ClsDataPreprocessor

    from amlfs_mm.models import BatchDataPreprocessor

    if type(getattr(model, 'data_preprocessor', None)) is ClsDataPreprocessor:
        model.data_preprocessor = BatchDataPreprocessor.like(model.data_preprocessor)


def let_linear_heads_check_features(model: nn.Module) -> None:
    """Let mmpretrain's linear heads say what is wrong with their input."""
    from amlfs_mm.models.heads.linear_head_features import check_features_of_linear_heads

    check_features_of_linear_heads(model)


def evaluate_whole_batches(evaluator: Evaluator) -> Evaluator:
    """Mmengine's evaluator, with an accuracy that counts predictions of such batches as a whole."""
    from amlfs_mm.evaluation.accuracy import BatchEvaluator

    return BatchEvaluator.like(evaluator) if type(evaluator) is Evaluator else evaluator
