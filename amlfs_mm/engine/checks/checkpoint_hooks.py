"""Whether what MMEngine's CheckpointHook saves can be resumed from."""

from __future__ import annotations

import json
from pathlib import Path

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from ..state.weights import Comparison


def check_checkpoints(runner: Runner, search_every: int) -> None:
    """The checkpoints of a search hold winners, one is always whole, and ``--resume`` finds it.

    Args:
        runner: Before its training.
        search_every: Epochs of a round.

    Raises:
        ValueError: Checkpoints would be saved within a round, or elsewhere, or under another name,
            or without what a resume needs; or too few of them.

    When:
        A search starts.
    """
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook):
            for wrong, options, reason, cure in _faults(hook, runner.max_epochs, search_every):
                if wrong:
                    raise ValueError(f'default_hooks.checkpoint.{options} {reason}: {cure}')


def _faults(
    hook: CheckpointHook, max_epochs: int, search_every: int
) -> list[tuple[bool, str, str, str]]:
    """(whether it holds, the options, what is wrong with them, the cure) of each fault."""
    interval = hook.interval
    return [
        (
            not hook.by_epoch,
            'by_epoch=False',
            'would save candidates in the middle of their epoch',
            'leave it True',
        ),
        (
            interval < 1,
            f'interval={interval}',
            'saves nothing before the end, so that a search that fails cannot be resumed',
            'set it to 1',
        ),
        (
            search_every > 1 and interval != 1,
            f'interval={interval}',
            f'with search_every={search_every} would save within a round',
            'set it to 1, which saves at the end of each round',
        ),
        (
            not hook.save_last and interval > 0 and max_epochs % interval > 0,
            f'save_last=False with interval={interval}',
            f'would not save the last of {max_epochs} epochs',
            'leave save_last out',
        ),
        (
            hook.max_keep_ckpts == 1,
            'max_keep_ckpts=1',
            'removes the only checkpoint before the next one is whole',
            'set it to 2 or more',
        ),
        (
            hook.out_dir is not None,
            f'out_dir={str(hook.out_dir)!r}',
            "keeps checkpoints apart from the search's other files, where --resume looks for them",
            'leave it out, and set work_dir',
        ),
        (
            hook.filename_tmpl != 'epoch_{}.pth',
            f'filename_tmpl={hook.filename_tmpl!r}',
            'gives checkpoints another name than epoch_<n>.pth, by which --resume finds them',
            'leave it out',
        ),
        (
            not (hook.save_optimizer and hook.save_param_scheduler),
            f'save_optimizer={hook.save_optimizer}, save_param_scheduler='
            f'{hook.save_param_scheduler}',
            'leaves out what a resume needs',
            'leave both True',
        ),
    ]


RESUMABLE = ('meta', 'message_hub', 'optimizer')


def check_resumable(checkpoint: dict, weights: Comparison, name: str | Path) -> None:
    """A checkpoint to resume holds the state of a training, and of one with the same kind of loss.

    Args:
        checkpoint: Its content.
        weights: Its weights beside the model's.
        name: Of its file.

    Raises:
        ValueError: The checkpoint holds a model only, such as the best-ever one; or that of a
            searched head, where the config has another head, or the other way round.

    When:
        A training is resumed.
    """
    if missing := [key for key in RESUMABLE if key not in checkpoint]:
        raise ValueError(
            f'{name} holds a model without the state of its training (no {", ".join(missing)}): '
            'resume from epoch_<n>.pth, or give it as load_from, without --resume'
        )
    if weights.theta_saved != weights.theta_expected:
        has, lacks = ('checkpoint', 'config') if weights.theta_saved else ('config', 'checkpoint')
        raise ValueError(
            f'{name} was not trained with this config: the {has} has a head with theta, the '
            f'{lacks} has not. Resume with the config that it was trained with'
        )


def check_earlier_search(directory: str | Path, interval: int) -> None:
    """A work dir without checkpoints holds no search that had some.

    Args:
        directory: The work dir.
        interval: Epochs from one checkpoint to the next.

    Raises:
        ValueError: There is the history of a search but no checkpoint of it; ``--resume`` would
            write over it.

    When:
        A training is resumed, and there is no checkpoint.
    """
    history = Path(directory) / 'loss_search.jsonl'
    lines = history.read_text().splitlines() if history.is_file() else []
    epochs = [json.loads(line)['epoch'] for line in lines]
    # The first one may be missing: a job can be killed before it is saved.
    if sum(epoch >= interval for epoch in epochs) > 1:
        raise ValueError(
            f'{directory} holds a search of {epochs[-1]} epochs (loss_search.jsonl), but none of '
            'its checkpoints: put them back to resume it. To start anew, remove the directory or '
            'choose another --work-dir'
        )
