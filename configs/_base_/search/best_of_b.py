# Control: the search without a search. sigma = 0, so that all candidates have the plain loss and
# differ by their data order and augmentation alone; the best on D_v goes on. Same compute.
_base_ = ['./amlfs.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.sigma = 0.0
