# The paper's search (section 4.1): B = 32 candidates of 2 GPUs each, sigma = 0.2, Adam, lr 0.05.
# Fewer processes serve several candidates in turn, with the same result. LossSearchHook reads its
# options in loss_search, a dict, so that a config changes one of them and inherits the others.
runner_type = 'amlfs_mm.LossSearchRunner'
custom_hooks = [dict(type='amlfs_mm.LossSearchHook')]
loss_search = dict(
    replicas_per_candidate=2,
    num_candidates=32,
    reward='accuracy/top1',
    policy=dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05),
)
