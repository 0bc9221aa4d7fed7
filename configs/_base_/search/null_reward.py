# Control: mu learns from random rewards, drawn from the seed; the best on D_v still goes on. Shows
# how far mu drifts where there is nothing to learn, and what the learning of mu adds.
_base_ = ['./amlfs.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].reward_filter = dict(type='amlfs_mm.NullReward')
