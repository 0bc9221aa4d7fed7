# AM-LFS on 200 characters in 16 fonts, s = 16, B = 4.
#   DATA_ROOT=... tools/dist_train.sh configs/small/characters/amlfs_resnet8_characters.py 2
# Cost: 4 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_characters.py', '../../_base_/search/amlfs_reid.py']
loss_search = dict(num_candidates=4, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
