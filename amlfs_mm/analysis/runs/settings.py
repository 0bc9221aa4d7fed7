"""Whether a work dir holds a run of a config as it is now, or as it was once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config

from amlfs_mm.engine.state.checkpoints import find_checkpoints
from amlfs_mm.utils.paths import expand_home_in_config

from .work_dirs import find_config, is_dumped_config

OF_THE_TOOL = ('launcher', 'work_dir', 'resume')
"""What ``tools/train.py`` sets for each run."""
OF_MEASUREMENT = (
    (('train_cfg',), 'val_interval'),
    (('default_hooks', 'checkpoint'), 'save_best'),
    (('default_hooks', 'checkpoint'), 'rule'),
    (('default_hooks',), 'compute'),
)
"""When D_v is measured, and what is kept of a run and counted: this changes no training."""
ONE_MODEL = ('replicas_per_candidate', 'threads_per_process')
"""Options of ``loss_search`` that it sets for a run without a search."""


def check_same_settings(directory: str | Path, config: str | Path, options: dict) -> None:
    """A work dir whose results are used again holds a run of the config as it is now.

    Args:
        directory: The work dir. One without a checkpoint and without a test has no results.
        config: The config file.
        options: What the command line changes in it, as in ``--cfg-options``.

    Raises:
        ValueError: The run in it had other settings; the message names them.

    When:
        ``tools/analysis/benchmark.py`` finds the work dir of a run.
    """
    directory = Path(directory)
    finished = (directory / 'test.json').exists() or find_checkpoints(directory)
    if not finished or not any(map(is_dumped_config, directory.glob('*.py'))):
        return
    now = Config.fromfile(config)
    now.merge_from_dict(options)
    then = Config.fromfile(find_config(directory))
    kept = dict(searches='runner_type' in now, load_from=not then.get('resume'))
    changed = list(differences(_own(then, **kept), _own(now, **kept)))
    if changed:
        more = f', and {len(changed) - 3} more' if len(changed) > 3 else ''
        raise ValueError(
            f'{directory} holds a run with other settings than {config} has now: '
            f'{"; ".join(changed[:3])}{more}. Remove the folder to run it anew, give another '
            f'--work-dir, or give {directory} itself to tabulate it as it is'
        )


ABSENT = object()


def differences(then: Any, now: Any, name: str = '') -> Iterator[str]:
    """``train_cfg.max_epochs was 3, is 5`` for each setting that differs between two configs."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*then, *now]):
            inner = f'{name}.{key}' if name else str(key)
            yield from differences(then.get(key, ABSENT), now.get(key, ABSENT), inner)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from differences(one, other, f'{name}.{index}')
    elif then is ABSENT:
        yield f'{name} was not set, is {_short(now)}'
    elif now is ABSENT:
        yield f'{name} was {_short(then)}, is not set'
    elif repr(then) != repr(now):  # a NaN is the same, a tuple is no list
        yield f'{name} was {_short(then)}, is {_short(now)}'


def _own(config: Config, searches: bool, load_from: bool) -> dict:
    """The settings of a config without what ``tools/train.py`` adds.

    Args:
        config: One as it is, or as a run dumped it.
        searches: Whether the config chooses its runner; otherwise the tool does.
        load_from: Whether to keep ``load_from``, which the tool removes in a run that goes on.
    """
    expand_home_in_config(config)  # the runner has done it to the dumped one
    settings = config.to_dict()
    for key in (*OF_THE_TOOL, *(() if load_from else ('load_from',))):
        settings.pop(key, None)
    for keys, option in OF_MEASUREMENT:
        part = settings
        for key in keys:
            part = part.get(key) or {}
        part.pop(option, None)
    if not searches:
        settings.pop('runner_type', None)
        given = settings.pop('loss_search', {})
        rest = {key: value for key, value in given.items() if key not in ONE_MODEL}
        settings |= dict(loss_search=rest) if rest else {}
    return settings


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
