# Control for amlfs_resnet8_fashion.py: 4 copies an epoch of plain softmax, each with its own
# data order, the best on D_v goes on.
#   tools/dist_train.sh configs/small/fashion_mnist/best_of_b_resnet8_fashion.py 2
# Cost: that of amlfs_resnet8_fashion.py.
_base_ = ['./baseline_resnet8_fashion.py', '../../_base_/search/best_of_b.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
