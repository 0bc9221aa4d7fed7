# The paper's search (section 4.1): B = 32 candidates of 2 GPUs each, sigma = 0.2, Adam, lr 0.05.
# Fewer processes serve several candidates in turn, with the same result.
runner_type = 'amlfs_mm.LossSearchRunner'
loss_search = dict(replicas_per_candidate=2)
custom_hooks = [
    dict(
        type='amlfs_mm.LossSearchHook',
        num_candidates=32,
        reward='accuracy/top1',
        policy=dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05),
    )
]
