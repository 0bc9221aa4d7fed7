"""Judge the training labels of a run by one of its checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from torch import Tensor

from amlfs_mm.engine.history.lineage import epochs_of_lineage
from amlfs_mm.engine.state.checkpoints import read_checkpoint

from ..runs.models import load_model
from ..runs.run import MODEL_FILES, Run
from .predictions import Predictions, predict_labels
from .training_data import JudgedSamples

LAST_EPOCHS = 5
"""Epochs at the end of a search whose winners weigh the samples."""


class Judgement(NamedTuple):
    """The training samples of a run, and what its model says about them and about D_v.

    Attributes:
        samples: The training samples.
        train: The predictions on them.
        val: Those on D_v; None if there is no D_v with the classes of the training set.
    """

    samples: JudgedSamples
    train: Predictions
    val: Predictions | None


def judge_labels(
    run: Run,
    checkpoint: Path | None = None,
    last_epochs: int = LAST_EPOCHS,
    device: str = 'cpu',
    keep_all: bool = False,
) -> Judgement:
    """Run the training samples of a run, and D_v, through its model.

    Args:
        run: Of a search, a training with a fixed loss, or a baseline.
        checkpoint: The model; default: the last epoch's.
        last_epochs: The winners of this many last epochs weigh a search's samples.
        device: Where the model runs.
        keep_all: Keep the probabilities of all classes.

    Raises:
        FileNotFoundError: The run has no such checkpoint, or its data are not there.
        ValueError: The checkpoint is damaged or of another model, or the model cannot judge labels.
    """
    checkpoint = checkpoint or run.last_checkpoint
    config = run.config
    model = load_model(config, checkpoint)
    loader = config.get('val_dataloader') or config.train_dataloader
    options = (device, loader.get('batch_size') or 256, loader.get('num_workers', 0))
    losses = winners(run, checkpoint, last_epochs)
    samples = JudgedSamples(config)
    train = predict_labels(model, samples, losses, *options, keep_all=keep_all)
    held_out = same_classes(config, samples)
    val = predict_labels(model, held_out, losses, *options) if held_out else None
    return Judgement(samples, train, val)


def same_classes(config: Config, samples: JudgedSamples) -> JudgedSamples | None:
    """D_v, if its classes are those of the training samples; D_v may be of other identities."""
    if not config.get('val_dataloader'):
        return None
    held_out = JudgedSamples(config, 'val_dataloader')
    return held_out if held_out.classes and held_out.classes == samples.classes else None


def winners(run: Run, checkpoint: Path, last_epochs: int) -> list[Tensor]:
    """The winners' losses of the last epochs that led to a checkpoint; none without a search.

    A round without a winner (all candidates diverged), and one that the search undid, do not count.
    The control of a search, in ``control.pth``, had no winner.

    Args:
        run: With the records of the search.
        checkpoint: Of the run.
        last_epochs: Epochs, counted from the last one; a round of several epochs counts for each.
    """
    if is_control(run, checkpoint):
        return []
    epoch = read_checkpoint(checkpoint, tensors=False).get('meta', {}).get('epoch')
    records = [r for r in run.records if epoch is None or r['epoch'] <= epoch]
    led = epochs_of_lineage(records)
    found: list[Tensor] = []
    for record in reversed(records):
        if record['epoch'] in led:
            epochs = record['epoch'] - record['first_epoch'] + 1
            found += [torch.tensor(record['theta'][record['best']])] * epochs
    return found[:last_epochs]


def is_control(run: Run, checkpoint: Path) -> bool:
    """Whether a checkpoint is the control of a search, which trained with the start loss."""
    kept_control = run.kept is not None and run.kept.kept == 'control'
    return checkpoint.name == MODEL_FILES['control'] or (
        checkpoint.name == MODEL_FILES['kept'] and kept_control
    )
