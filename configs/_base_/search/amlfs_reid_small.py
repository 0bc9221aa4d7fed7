# The search for small machines: B = 8 candidates of one process each.
_base_ = ['./amlfs_reid.py']
loss_search = dict(num_candidates=8, replicas_per_candidate=1)
