# Not in the paper. MLFN with AM-LFS on DukeMTMC-reID. The search takes the place of label
# smoothing.
#   tools/dist_train.sh configs/amlfs_mlfn_duke.py 32
# Cost: 32 x the baseline's compute.
# Expected: no number in the paper.
_base_ = ['./baseline_mlfn_duke.py', './_base_/search/amlfs_reid.py']
loss_search = dict(replicas_per_candidate=1)  # batch_size is that of a process
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        loss=dict(_delete_=True, type='CrossEntropyLoss'),
    )
)
