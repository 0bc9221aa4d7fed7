# AM-LFS on 300 identities of icons, s = 16, B = 4.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/amlfs_resnet8_icons.py 2
# Cost: 4 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_icons.py', '../../_base_/search/amlfs_reid.py']
loss_search = dict(num_candidates=4, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
