# The search started at a hand-made loss, AM-softmax (Wang et al. 2018), in place of plain softmax.
_base_ = ['./amlfs.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].mu_0 = dict(name='am_softmax', m=0.35)
