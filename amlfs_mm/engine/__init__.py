from .distributed.population import Population
from .hooks import ComputeHook, LossReplayHook, LossSearchHook
from .runner import LossSearchRunner
from .state.training_state import TrainingState

__all__ = [
    'ComputeHook',
    'LossReplayHook',
    'LossSearchHook',
    'LossSearchRunner',
    'Population',
    'TrainingState',
]
