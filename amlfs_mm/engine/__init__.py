from .bfloat16_optim_wrapper import BFloat16OptimWrapper
from .distributed.population import Population
from .hooks import ComputeHook, DeferredRuntimeInfoHook, LossReplayHook, LossSearchHook
from .loops.l2t_dlf_loop import L2TDLFLoop
from .runner import LossSearchRunner
from .state.training_state import TrainingState

__all__ = [
    'BFloat16OptimWrapper',
    'ComputeHook',
    'DeferredRuntimeInfoHook',
    'L2TDLFLoop',
    'LossReplayHook',
    'LossSearchHook',
    'LossSearchRunner',
    'Population',
    'TrainingState',
]
