# The paper's search, rewarded with rank-1 on the identities of D_v (section 4.1).
_base_ = ['./amlfs.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].reward = 'face/rank1'
