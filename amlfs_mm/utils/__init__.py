"""What every folder of the package uses: whole files, random numbers, optional packages, paths."""

from time import time_ns


def register_all_modules() -> None:
    """Let names of components without a package mean mmpretrain's, as in our configs.

    ``mmengine.hub.get_model`` calls this function of a package before it builds a model, and sets
    the scope back afterwards. The registries import their components themselves.
    """
    from mmengine.registry import DefaultScope

    DefaultScope.get_instance(f'mmpretrain-{time_ns()}', scope_name='mmpretrain')
