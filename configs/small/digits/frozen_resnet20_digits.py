# Control for amlfs_resnet20_digits.py: the paper's section 4.6, the distribution of losses is never
# updated.
#   tools/dist_train.sh configs/small/digits/frozen_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
_base_ = ['./baseline_resnet20_digits.py', '../../_base_/search/frozen.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 8
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
