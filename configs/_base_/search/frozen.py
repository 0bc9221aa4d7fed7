# Control: the paper's section 4.6, candidates of the initial distribution, which is never updated.
_base_ = ['./amlfs.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.lr = 0.0
