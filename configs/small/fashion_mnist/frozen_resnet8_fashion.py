# Control for amlfs_resnet8_fashion.py: the distribution of losses is never updated.
#   tools/dist_train.sh configs/small/fashion_mnist/frozen_resnet8_fashion.py 2
# Cost: that of amlfs_resnet8_fashion.py.
_base_ = ['./baseline_resnet8_fashion.py', '../../_base_/search/frozen.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
