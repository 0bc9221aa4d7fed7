from .hooks import LossSearchHook
from .population import Population
from .runner import LossSearchRunner
from .training_state import TrainingState

__all__ = ['LossSearchHook', 'LossSearchRunner', 'Population', 'TrainingState']
