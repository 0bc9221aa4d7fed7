# AM-LFS on a subset of Fashion-MNIST, short schedule, B = 4.
#   tools/dist_train.sh configs/small/fashion_mnist/amlfs_resnet8_fashion.py 2
# Cost: 4 x the baseline's compute. Expected: docs/benchmarks.md.
_base_ = ['./baseline_resnet8_fashion.py', '../../_base_/search/amlfs.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
