from .loss_search_hook import LossSearchHook

__all__ = ['LossSearchHook']
