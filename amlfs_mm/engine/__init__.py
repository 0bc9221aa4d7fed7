from .distributed.population import Population
from .hooks import ComputeHook, DeferredRuntimeInfoHook, LossReplayHook, LossSearchHook
from .runner import LossSearchRunner
from .state.training_state import TrainingState

__all__ = [
    'ComputeHook',
    'DeferredRuntimeInfoHook',
    'LossReplayHook',
    'LossSearchHook',
    'LossSearchRunner',
    'Population',
    'TrainingState',
]
