# AM-LFS on many classes of drawn images, B = 4.
#   NUM_CLASSES=500 tools/dist_train.sh configs/small/drawn_classes/amlfs_resnet8_drawn.py 2
# Cost: 4 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_drawn.py', '../../_base_/search/literal.py']
loss_search = dict(num_candidates=4, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
