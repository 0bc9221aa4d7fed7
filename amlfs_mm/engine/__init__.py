from .bfloat16_optim_wrapper import BFloat16OptimWrapper
from .distributed.population import Population
from .hooks import ComputeHook, DeferredRuntimeInfoHook, LossReplayHook, LossSearchHook
from .runner import LossSearchRunner
from .state.training_state import TrainingState

__all__ = [
    'BFloat16OptimWrapper',
    'ComputeHook',
    'DeferredRuntimeInfoHook',
    'LossReplayHook',
    'LossSearchHook',
    'LossSearchRunner',
    'Population',
    'TrainingState',
]
