# Not in the paper. HA-CNN with AM-LFS on Market-1501. One theta for its two softmax losses.
#   tools/dist_train.sh configs/amlfs_hacnn_market.py 32
# Cost: 32 x the baseline's compute.
# Expected: no number in the paper.
_base_ = ['./baseline_hacnn_market.py', './_base_/search/amlfs_reid.py']
loss_search = dict(replicas_per_candidate=1)  # batch_size is that of a process
classifier = dict(type='amlfs_mm.AMLFSHead', num_intervals=6)
model = dict(head=dict(classifier=classifier))
