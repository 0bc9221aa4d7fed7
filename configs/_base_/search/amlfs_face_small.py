# The search for small machines: B = 8 candidates of one process each.
_base_ = ['./amlfs_face.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 8
