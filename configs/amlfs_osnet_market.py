# Not in the paper. OSNet with AM-LFS on Market-1501. The search takes the place of label
# smoothing.
#   tools/dist_train.sh configs/amlfs_osnet_market.py 32
# Cost: 32 x the baseline's compute.
# Expected: no number in the paper.
_base_ = ['./baseline_osnet_market.py', './_base_/search/amlfs_reid.py']
loss_search = dict(replicas_per_candidate=1)  # batch_size is that of a process
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        loss=dict(_delete_=True, type='CrossEntropyLoss'),
    )
)
