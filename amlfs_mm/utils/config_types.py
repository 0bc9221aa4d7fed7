"""What the ``type`` of a config stands for: a name, a name with its scope, or the class itself."""

from __future__ import annotations

from typing import Any

from mmengine.registry import Registry


def resolve_type(kind: Any, registry: Registry) -> Any:
    """The class or function that MMEngine would build for a config's ``type``; None if unknown.

    Args:
        kind: A name (``'Resize'``, ``'mmpretrain.Resize'``, ``'mmcv.transforms.Resize'``), or, as
            in MMEngine's configs in pure Python, the class itself.
        registry: Where names are looked up, in the current default scope first.
    """
    if not isinstance(kind, str):
        # A config in pure Python that has not been read through yet holds stand-ins.
        return kind.build() if type(kind).__module__ == 'mmengine.config.lazy' else kind
    with registry.switch_scope_and_registry(None) as current:
        for place in (current, registry):
            try:
                found = place.get(kind)
            except RuntimeError:  # no registered name, and no module of that name
                continue
            if found is not None:
                return found
    return None


def resolves_to(kind: Any, registry: Registry, cls: type, exactly: bool = False) -> bool:
    """Whether a config's ``type`` stands for a class or, unless ``exactly``, one derived from it.

    A name that no registry knows is compared with the name of the class.
    """
    found = resolve_type(kind, registry)
    if found is None:
        return isinstance(kind, str) and kind.rpartition('.')[2] == cls.__name__
    if exactly:
        return found is cls
    return isinstance(found, type) and issubclass(found, cls)
