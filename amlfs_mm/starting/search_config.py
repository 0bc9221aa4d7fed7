"""The config of a search on a baseline, as text, checked and written."""

from __future__ import annotations

import copy
import tempfile
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.registry import METRICS, MODELS, DefaultScope

from amlfs_mm.engine.options import read_search_options
from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.utils.config_types import resolve_type
from amlfs_mm.utils.text_files import write_text

from .cost import count_images, describe_cost, training_epochs
from .head import Replacement, replace_head, type_name
from .held_out_data import HeldOutData, check_hold_out, describe_held_out_data

WIDTH = 100

RECOMMENDED: dict[str, Any] = dict(
    control=True,
    go_back=dict(tolerance=2, error='spread'),
    policy=dict(sigma=0.1),
)
"""What the search that we recommend has otherwise than the paper's, as in
``_base_/search/recommended.py``; its head has :data:`CEILING` as well.
"""
CEILING = dict(type='amlfs_mm.SearchSpace', ceiling=True)
WRONG_LABELS = (
    'If many training labels may be wrong, search tau alone and start at -log(p + 0.5): set '
    "search_space=dict(type='amlfs_mm.SearchSpace', searched='tau') in the head, and "
    "mu_0=dict(name='robust', b=0.5) in loss_search. Set warmup_epochs there too, as many as "
    'it takes to learn something of every class: such a loss may give up one that is learnt late.'
)


class SearchConfig(NamedTuple):
    """What was found at a baseline, and the config of a search on it."""

    text: str
    head: Replacement
    held_out_data: HeldOutData
    notes: list[str]
    cost: str


def search_config(
    base: str,
    cfg: Config,
    reward: str,
    num_candidates: int = 32,
    num_intervals: int = 6,
    scale: float | None = None,
    hold_out_splits: int | None = None,
    literal: bool = False,
) -> SearchConfig:
    """The config of a search on a baseline: of the search that we recommend, or the paper's.

    Args:
        base: The baseline as ``_base_`` names it: ``mmpretrain::...``, or a path that is absolute
            or starts at the folder of the new config.
        cfg: The baseline.
        reward: The validation metric to maximise.
        num_candidates: B.
        num_intervals: M.
        scale: Of the head, in place of that of the baseline.
        hold_out_splits: Hold out one of so many parts of the training data as D_v.
        literal: The paper's search, without what keeps a search from doing harm.

    Raises:
        ValueError: There can be no search on it; the message says why.
    """
    if 'LossSearchHook' in [type_name(hook['type']) for hook in cfg.get('custom_hooks') or []]:
        raise ValueError(
            'the base has a LossSearchHook: it is a search already. Inherit from it, and change '
            'its options in loss_search'
        )
    found = _look_at(cfg, reward, num_intervals, scale, hold_out_splits)
    options = dict(num_candidates=num_candidates, reward=reward)
    options |= dict(mu_0=found.head.mu_0) if found.head.mu_0 else {}
    notes = _notes(found)
    if not literal:
        options |= copy.deepcopy(RECOMMENDED)
        found.head.options['search_space'] = dict(CEILING)
        if reason := _cannot_keep_states(cfg):
            del options['control'], options['go_back']
            notes.append(f'{reason}: the search has no control, and does not go back.')
        if not found.head.mu_0:
            notes.append(WRONG_LABELS)
    read_search_options(options)
    lines = _lines(base, cfg, found, options, hold_out_splits)
    cost = describe_cost(cfg, num_candidates, found.images)
    return SearchConfig('\n'.join(lines) + '\n', found.head, found.data, notes, cost)


class _Found(NamedTuple):
    """What was found at a baseline."""

    head: Replacement
    data: HeldOutData
    augments: str | None
    """Augmentations that mix labels, in words."""
    images: int | None
    """Of the training set; None if they cannot be counted."""


def _look_at(
    cfg: Config,
    reward: str,
    num_intervals: int,
    scale: float | None,
    hold_out_splits: int | None,
) -> _Found:
    """Look at the head and the data of a baseline; arguments as in :func:`search_config`."""
    training_epochs(cfg)
    scope = cfg.get('default_scope') or 'mmengine'
    with DefaultScope.overwrite_default_scope(scope):
        head = replace_head(cfg.get('model'), num_intervals, scale)
        data = describe_held_out_data(cfg)
        check_reward_name(cfg.val_evaluator, reward)
    images = count_images(cfg.train_dataloader['dataset'], scope)
    if hold_out_splits is not None:
        check_hold_out(cfg)
        text = f'a part of the training data, 1 of {hold_out_splits} by seed 0'
        data = HeldOutData(text, None)
        images = images and images - images // hold_out_splits
    return _Found(head, data, _batch_augments(cfg), images)


def _cannot_keep_states(cfg: Config) -> str | None:
    """Why a search on a baseline can keep no second model (``check_kept_states``); None: it can."""
    head = cfg.model.head
    if head.get('classifier', head).get('sharded'):
        return 'The class weights are spread over replicas (sharded=True)'
    schedules = cfg.get('param_scheduler') or []
    for schedule in schedules if isinstance(schedules, (list, tuple)) else [schedules]:
        if 'ReduceOnPlateau' in type_name(schedule['type']):
            return f'{type_name(schedule["type"])} follows the validation of the winner'
    return None


def _notes(found: _Found) -> list[str]:
    """Sentences on what the search has otherwise than the baseline."""
    notes = list(found.head.notes)
    if found.augments:
        notes.append(
            f'{found.augments} are left out: they mix labels, and the searched loss needs one '
            'class an image.'
        )
    if found.head.mu_0:
        notes.append(f"The search starts at the baseline's loss, {as_code(found.head.mu_0)}.")
    return notes


def _lines(
    base: str, cfg: Config, found: _Found, search: dict, hold_out_splits: int | None
) -> list[str]:
    """The lines of the config; arguments as in :func:`search_config`, and the search's options."""
    comments = [f'A search on {base}, written by amlfs_mm new.']
    if found.data.warning:
        comments.append(found.data.warning)
    lines = [as_comment(comment) for comment in comments]
    lines += [f'_base_ = {[base]!r}', *_imports(cfg)]
    options = found.head.options
    model: dict[str, Any] = dict(head=dict(classifier=options) if found.head.inner else options)
    if found.augments:
        model['train_cfg'] = None
    lines.append(assignment('model', model))
    if hold_out_splits is not None:
        lines += _hold_out_lines(hold_out_splits)
    # Not in the hook: what stands here can be changed by a leaf config, and by --cfg-options.
    lines.append(assignment('loss_search', search))
    hook = dict(type='amlfs_mm.LossSearchHook')
    others = ['*_base_.custom_hooks'] if cfg.get('custom_hooks') else []
    lines.append(assignment('custom_hooks', [*map(Verbatim, others), hook]))
    lines.append("runner_type = 'amlfs_mm.LossSearchRunner'")
    return lines


def check_reward_name(evaluator: Any, reward: str) -> None:
    """``val_evaluator`` can produce the reward, as far as the prefixes of its metrics tell.

    Raises:
        ValueError: No metric has the reward's prefix, or no accuracy has its k.

    When:
        ``amlfs_mm new`` looks at a baseline.
    """
    prefixes = []
    for metric in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        kind = resolve_type(metric['type'], METRICS)
        prefix = metric.get('prefix', getattr(kind, 'default_prefix', None))
        prefixes.append(prefix)
        if prefix == 'accuracy' and type_name(metric['type']) == 'Accuracy':
            topk = metric.get('topk', (1,))
            names = [f'accuracy/top{k}' for k in ([topk] if isinstance(topk, int) else topk)]
            if reward.startswith('accuracy/') and reward not in names:
                raise ValueError(
                    f'val_evaluator of the base does not produce {reward!r}; it produces {names}'
                )
    if None not in prefixes and reward.partition('/')[0] not in prefixes:
        begin = ', '.join(f'{prefix}/' for prefix in prefixes)
        raise ValueError(
            f'val_evaluator of the base produces no {reward!r}; its metrics begin with {begin}'
        )


def write_search_config(path: Path, text: str) -> None:
    """Write a config that is not there yet, after it has been read and its model built.

    Raises:
        FileExistsError: There is such a file.
        ValueError: The config cannot be read, or its model cannot be built; nothing is written.
    """
    if path.exists():
        raise FileExistsError(f'{path} exists: remove it, or choose another name')
    check_config(path.parent, text)
    write_text(path, text)


def check_config(folder: Path, text: str) -> None:
    """A config can be read as a file of a folder, and its model has a head that can be searched.

    Raises:
        ValueError: The config cannot be read, its model cannot be built, or it has no such head.

    When:
        ``amlfs_mm new`` writes a config.
    """
    with tempfile.NamedTemporaryFile('w', suffix='.py', prefix='check_', dir=folder) as file:
        file.write(text)
        file.flush()
        try:
            cfg = Config.fromfile(file.name)
            with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmengine'):
                find_heads(MODELS.build(_without_downloads(cfg)))
        except Exception as error:  # of any part of any package that the base names
            if 'lazy_import' in str(error):
                why = (
                    'it is in pure Python (it imports its classes), and a config with _base_ '
                    'cannot inherit from it. Write the search in the same style, with read_base(), '
                    'and set what this config would have set'
                )
            else:
                why = f'{type(error).__name__}: {error}. The config would have been'
            raise ValueError(f'the search on this base does not work: {why}:\n{text}') from error


def _without_downloads(cfg: Config) -> dict:
    """The model's config with its preprocessor, as the runner builds it, without weights."""
    model = copy.deepcopy(cfg.model)
    if 'data_preprocessor' in cfg:
        model.setdefault('data_preprocessor', copy.deepcopy(cfg.data_preprocessor))
    backbone = model.get('backbone')
    if isinstance(backbone, dict) and backbone.get('pretrained') is True:
        backbone['pretrained'] = False
    return model


def _imports(cfg: Config) -> list[str]:
    imports = (cfg.get('custom_imports') or {}).get('imports') or []
    imports = [imports] if isinstance(imports, str) else list(imports)
    if 'amlfs_mm' in imports:
        return []
    return [assignment('custom_imports', dict(imports=[*imports, 'amlfs_mm']))]


def _batch_augments(cfg: Config) -> str | None:
    """The augmentations that mix labels, in words; None if there are none."""
    augments = (cfg.model.get('train_cfg') or {}).get('augments')
    if not augments:
        return None
    augments = augments if isinstance(augments, (list, tuple)) else [augments]
    return ' and '.join(type_name(augment['type']) for augment in augments)


def _hold_out_lines(splits: int) -> list[str]:
    """As ``configs/_base_/datasets/cifar10.py`` does; every fold is the rest of the other one."""
    fold = f"_delete_=True, type='mmpretrain.KFoldDataset', num_splits={splits}, seed=0"
    return [
        'train = _base_.train_dataloader.dataset',
        'train_dataloader = dict(',
        f'    dataset=dict({fold}, dataset=train)',
        ')',
        'val_dataloader = dict(',
        '    dataset=dict(',
        f'        {fold}, test_mode=True,',
        '        dataset=dict(train, pipeline=_base_.val_dataloader.dataset.pipeline),',
        '    )',
        ')',
        'del train',
    ]


class Verbatim(str):
    """Code that stands in a config as it is."""


def as_comment(sentence: str) -> str:
    """A sentence as a comment, in lines of the usual length."""
    return textwrap.fill(
        sentence, WIDTH, initial_indent='# ', subsequent_indent='# ', break_on_hyphens=False
    )


def assignment(name: str, value: Any) -> str:
    """``name = value`` as in OpenMMLab's configs, broken where a line would be too long."""
    return f'{name} = {as_code(value, len(name) + 3)}'


def as_code(value: Any, used: int = WIDTH, indent: int = 0) -> str:
    """A value as Python code; dicts as calls of ``dict``.

    Args:
        value: Made of dicts, lists, tuples, :class:`Verbatim`, and what ``repr`` can write.
        used: Columns of the first line that are taken. By default all is one line.
        indent: Columns by which the following lines are indented.
    """
    if isinstance(value, Verbatim):
        return str(value)
    if isinstance(value, dict):
        opening, closing = 'dict(', ')'
        parts = [(f'{key}=', item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        opening, closing = ('[', ']') if isinstance(value, list) else ('(', ')')
        parts = [('', item) for item in value]
    else:
        return repr(value)
    line = opening + ', '.join(name + as_code(item) for name, item in parts) + closing
    if isinstance(value, tuple) and len(value) == 1:
        line = line[:-1] + ',)'
    if used == WIDTH or used + len(line) <= WIDTH:
        return line
    inside = ' ' * (indent + 4)
    lines = [
        f'{inside}{name}{as_code(item, indent + 5 + len(name), indent + 4)},'
        for name, item in parts
    ]
    return '\n'.join([opening, *lines, ' ' * indent + closing])
