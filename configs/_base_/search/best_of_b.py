# Control: the search without a search. sigma = 0, so that all candidates have the plain loss and
# differ by their data order and augmentation alone; the best on D_v goes on. Same compute.
runner_type = 'amlfs_mm.LossSearchRunner'
loss_search = dict(replicas_per_candidate=2)
custom_hooks = [
    dict(
        type='amlfs_mm.LossSearchHook',
        num_candidates=32,
        reward='accuracy/top1',
        policy=dict(type='amlfs_mm.GaussianPolicy', sigma=0.0, lr=0.05),
    )
]
