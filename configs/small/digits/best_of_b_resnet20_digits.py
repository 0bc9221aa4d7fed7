# Control for amlfs_resnet20_digits.py at the same compute: 8 copies an epoch of plain softmax, each
# with its own data order, the best on D_v goes on.
#   tools/dist_train.sh configs/small/digits/best_of_b_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
_base_ = ['./baseline_resnet20_digits.py', '../../_base_/search/best_of_b.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 8
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
