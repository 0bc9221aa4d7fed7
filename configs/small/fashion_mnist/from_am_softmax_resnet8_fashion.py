# The search of amlfs_resnet8_fashion.py, started at AM-softmax, m = 0.35, s = 30.
#   tools/dist_train.sh configs/small/fashion_mnist/from_am_softmax_resnet8_fashion.py 2
# Cost: that of amlfs_resnet8_fashion.py.
_base_ = ['./baseline_resnet8_fashion.py', '../../_base_/search/from_am_softmax.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6, scale=30.0))
