"""Whether what MMEngine's CheckpointHook saves can be resumed from."""

from __future__ import annotations

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner


def check_checkpoints(runner: Runner, search_every: int) -> None:
    """The checkpoints of a search hold winners, one is always whole, and ``--resume`` finds it.

    Args:
        runner: Before its training.
        search_every: Epochs of a round.

    Raises:
        ValueError: They would be saved within a round, or elsewhere, or under another name, or
            without what a resume needs; or too few of them.

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
