"""Whether ``AMLFSHead`` can take the place of a head, and with which options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import mmpretrain.models  # noqa: F401  (registers its heads)
from mmpretrain.registry import MODELS

from amlfs_mm.models.heads.amlfs_head import plain_loss_weight
from amlfs_mm.utils.config_types import resolve_type

SEVERAL_LABELS = (
    'an image may have several labels, and each label is classified by itself. The searched loss '
    'is a softmax over classes of which an image has one'
)
HIDDEN_LAYERS = (
    'it has hidden layers in front of its classifier, which AMLFSHead lacks. Put them into a neck '
    'of your own, and take LinearClsHead'
)
DISTILLATION = 'it has a second classifier for distillation, and mmpretrain cannot train it'
REASONS = {
    'CSRAClsHead': SEVERAL_LABELS,
    'MultiLabelClsHead': SEVERAL_LABELS,
    'MultiTaskHead': 'it has several tasks, each with labels and a head of its own',
    'ConformerHead': 'it has two classifiers, of two features, whose scores are added',
    'DeiTClsHead': DISTILLATION,
    'EfficientFormerClsHead': f'{DISTILLATION}. With distillation=False it can be replaced',
    'LeViTClsHead': 'it has batch norm in front of its classifier, which AMLFSHead lacks',
    'StackedLinearClsHead': HIDDEN_LAYERS,
    'VigClsHead': HIDDEN_LAYERS,
    'VisionTransformerClsHead': f'{HIDDEN_LAYERS}. (With hidden_dim=None it can be replaced)',
}
"""By the name of a class; of its base classes the nearest counts."""
NO_CLASSIFIER = 'it has no classifier. The scores of the classes come from the backbone itself'
"""The reason of ``ClsHead`` itself, from which most heads are derived."""

KNOWN_MARGINS = {
    'AMSoftmaxMargin': ('am_softmax', 0.35),
    'ArcFaceMargin': ('arcface', 0.5),
    'ASoftmaxMargin': ('a_softmax', 4),
}
"""Of each margin the known loss, and its own default of m."""


@dataclass
class Replacement:
    """How ``AMLFSHead`` takes the place of a head.

    Attributes:
        kind: Name of the head's class.
        num_classes: C; None if the outer head has it.
        in_channels: D; None if the outer head has it.
        scale: As in ``AMLFSHead``.
        options: What the search's config sets in place of the head's options.
        inner: Whether it is the ``classifier`` of an outer head, such as ``MGNHead``.
        mu_0: The known loss that the head has, where the search can start; None for plain softmax.
        notes: What a user should know about the exchange, in sentences.
    """

    kind: str
    num_classes: int | None
    in_channels: int | None
    scale: float | str | None
    options: dict[str, Any]
    inner: bool = False
    mu_0: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def replace_head(model: Any, num_intervals: int, scale: float | None = None) -> Replacement:
    """How ``AMLFSHead`` takes the place of the head of a model's config.

    Args:
        model: Config of the model.
        num_intervals: M.
        scale: In place of the scale of the head.

    Raises:
        ValueError: It cannot; the message says why.
    """
    head = (model or {}).get('head')
    if not isinstance(head, dict) or 'type' not in head:
        raise ValueError(
            f'the model {type_name((model or {}).get("type"))} has no head in its config, so '
            'AMLFSHead has nothing to take the place of: the base must be a classifier whose '
            "config has model.head, such as mmpretrain's ImageClassifier"
        )
    inner = 'classifier' in head
    head = head['classifier'] if inner else head
    names = class_names(head['type'])
    if 'AMLFSHead' in names or 'PerBranchMGNHead' in class_names(model['head']['type']):
        raise ValueError(
            "the base's head is an AMLFSHead: it is a search already. Inherit from it, and change "
            'its options in loss_search'
        )
    found = _replacement(head, names)
    if found is None:
        reason = next((REASONS[name] for name in names if name in REASONS), None)
        reason = NO_CLASSIFIER if names[0] == 'ClsHead' else reason
        raise ValueError(
            f'AMLFSHead cannot take the place of {names[0]}: '
            + (
                reason
                or 'it is no linear layer on one feature vector that gives one class an image'
            )
        )
    found.inner = inner
    if scale is not None:
        found.scale = found.options['scale'] = scale
    found.options = {
        **({'_delete_': True} if found.options.pop('_delete_', False) else {}),
        'type': 'amlfs_mm.AMLFSHead',
        'num_intervals': num_intervals,
        **found.options,
    }
    _replace_loss(head, found)
    return found


def _replacement(head: dict, names: list[str]) -> Replacement | None:
    """The replacement by the head's class, without what all have in common; None: there is none."""
    if names[0] == 'LinearClsHead':
        return _of_linear(head, names[0])
    if names[0] == 'SoftmaxHead':
        return _of_softmax(head)
    if names[0] == 'ArcFaceClsHead':
        return _of_arcface(head)
    is_linear = dict(
        VisionTransformerClsHead=head.get('hidden_dim') is None,
        EfficientFormerClsHead=not head.get('distillation', True),
    )
    if is_linear.get(names[0]):
        return _anew(head, names[0], scale=None)
    return None


def _of_linear(head: dict, kind: str) -> Replacement:
    init = head.get('init_cfg') or []
    init = init if isinstance(init, (list, tuple)) else [init]
    # Class weights of 0 have no direction, so the target would have no cosine.
    is_constant = any(each.get('type') == 'Constant' for each in init)
    options = dict(init_cfg=None) if is_constant else {}
    found = Replacement(kind, head.get('num_classes'), head.get('in_channels'), None, options)
    found.notes.append('Its bias is left out: AMLFSHead has none (Eq. 4 of the paper).')
    return found


def _of_softmax(head: dict) -> Replacement:
    margin = head.get('margin', 0.0)
    if not margin:
        sizes = head.get('num_classes'), head.get('in_channels')
        return Replacement('SoftmaxHead', *sizes, head.get('scale'), {})
    found = _anew(head, 'SoftmaxHead', head.get('scale'), 'sharded', 'sample_rate', 'init_cfg')
    if isinstance(margin, dict):
        name, m = KNOWN_MARGINS[class_names(margin['type'])[0]]
        found.mu_0 = dict(name=name, m=margin.get('m', m))
    else:
        found.mu_0 = dict(name='am_softmax', m=margin)
    return found


def _of_arcface(head: dict) -> Replacement:
    centers = head.get('num_subcenters', 1)
    if centers > 1:
        raise ValueError(
            f'AMLFSHead cannot take the place of ArcFaceClsHead with num_subcenters={centers}: it '
            'has one weight vector for a class. Set num_subcenters=1 in the base'
        )
    found = _anew(head, 'ArcFaceClsHead', head.get('scale', 64.0))
    margins = head.get('margins', 0.5)
    if isinstance(margins, (int, float)):
        found.mu_0 = dict(name='arcface', m=margins)
    else:
        found.notes.append(
            'Its margins differ from class to class, which a searched loss cannot have: the search '
            'starts at plain softmax.'
        )
    return found


def _anew(head: dict, kind: str, scale: float | str | None, *keep: str) -> Replacement:
    """A replacement that inherits nothing of the head but what is named."""
    options: dict[str, Any] = dict(_delete_=True)
    if scale is not None:
        options['scale'] = scale
    for key in ('num_classes', 'in_channels', *keep):
        if key in head:
            options[key] = head[key]
    return Replacement(kind, head.get('num_classes'), head.get('in_channels'), scale, options)


def _replace_loss(head: dict, found: Replacement) -> None:
    """Leave a loss out that the searched one cannot be combined with."""
    given = head.get('loss') or {}
    if isinstance(given, str):  # a loss of the zoo
        return
    loss = {key: value for key, value in given.items() if key != '_scope_'}
    if not loss:
        return
    try:
        plain_loss_weight(loss)
    except ValueError:
        options = ', '.join(f'{key}={value}' for key, value in loss.items() if key != 'type')
        found.notes.append(
            f'The searched loss takes the place of {type_name(loss.get("type"))}({options}).'
        )
        if '_delete_' not in found.options:
            found.options['loss'] = dict(_delete_=True, type='CrossEntropyLoss')
    else:
        if '_delete_' in found.options and loss.get('loss_weight', 1.0) != 1.0:
            found.options['loss'] = loss


def class_names(kind: Any) -> list[str]:
    """The names of a config's class and of its base classes; of an unknown one its own name."""
    found = resolve_type(kind, MODELS)
    if isinstance(found, type):
        return [base.__name__ for base in found.__mro__]
    return [type_name(kind)]


def type_name(kind: Any) -> str:
    """A config's ``type`` without its scope."""
    return (
        kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', str(kind))
    )
