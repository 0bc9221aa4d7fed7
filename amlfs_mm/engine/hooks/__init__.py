from .compute_hook import ComputeHook
from .loss_replay_hook import LossReplayHook
from .loss_search_hook import LossSearchHook

__all__ = ['ComputeHook', 'LossReplayHook', 'LossSearchHook']
