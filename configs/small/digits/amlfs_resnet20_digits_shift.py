# AM-LFS where label noise does little harm: see baseline_resnet20_digits_shift.py.
#   tools/dist_train.sh configs/small/digits/amlfs_resnet20_digits_shift.py 2
# Cost: 8 x the baseline's compute. Expected: docs/benchmarks.md.
_base_ = ['./baseline_resnet20_digits_shift.py', '../../_base_/search/amlfs.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 8
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
