from .compute_hook import ComputeHook
from .deferred_runtime_info_hook import DeferredRuntimeInfoHook
from .loss_replay_hook import LossReplayHook
from .loss_search_hook import LossSearchHook

__all__ = ['ComputeHook', 'DeferredRuntimeInfoHook', 'LossReplayHook', 'LossSearchHook']
