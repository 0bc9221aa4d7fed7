# Control for amlfs_resnet20_digits_shift.py: best of 8 copies of plain softmax an epoch.
#   tools/dist_train.sh configs/small/digits/best_of_b_resnet20_digits_shift.py 2
# Cost: that of amlfs_resnet20_digits_shift.py.
_base_ = ['./baseline_resnet20_digits_shift.py', '../../_base_/search/best_of_b.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 8
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
