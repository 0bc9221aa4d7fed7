# AM-LFS where label noise does little harm: see baseline_resnet20_digits_shift.py.
#   tools/dist_train.sh configs/small/digits/amlfs_resnet20_digits_shift.py 2
# Cost: 8 x the baseline's compute.
# Expected: 82.80 +- 14.44 % top-1 accuracy, 5 seeds, before commit 6f21ca7 (docs/benchmarks.md).
_base_ = ['./baseline_resnet20_digits_shift.py', '../../_base_/search/literal.py']
loss_search = dict(num_candidates=8, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
