"""Which hooks can work together."""

from __future__ import annotations

from mmengine.runner import Runner


def check_hooks(runner: Runner) -> None:
    """One hook at most decides the loss: one LossSearchHook, or one LossReplayHook.

    Raises:
        ValueError: There are several.

    When:
        Every training starts.
    """
    # They count what they train; asking an instance may need a search that has begun.
    found = [type(hook).__name__ for hook in runner.hooks if _decides_loss(hook)]
    if len(found) > 1:
        raise ValueError(
            f'custom_hooks has {" and ".join(found)}, but only one hook can decide the loss of a '
            'run: keep one of them'
        )


def _decides_loss(hook: object) -> bool:
    return hasattr(type(hook), 'candidate_epochs')
