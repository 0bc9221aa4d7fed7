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
    found = [type(hook).__name__ for hook in runner.hooks if getattr(hook, 'decides_loss', False)]
    if len(found) > 1:
        raise ValueError(
            f'custom_hooks has {" and ".join(found)}, but only one hook can decide the loss of a '
            'run: keep one of them'
        )
