from .cma_es_policy import CMAESPolicy
from .hooks import ComputeHook, LossReplayHook, LossSearchHook
from .population import Population
from .runner import LossSearchRunner
from .training_state import TrainingState

__all__ = [
    'CMAESPolicy',
    'ComputeHook',
    'LossReplayHook',
    'LossSearchHook',
    'LossSearchRunner',
    'Population',
    'TrainingState',
]
