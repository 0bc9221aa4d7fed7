# Control for amlfs_resnet20_cifar5k.py: 4 copies an epoch of plain softmax, each with its own
# data order, the best on D_v goes on.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/best_of_b_resnet20_cifar5k.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
_base_ = ['./baseline_resnet20_cifar5k.py', '../../_base_/search/best_of_b.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
