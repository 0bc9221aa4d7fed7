# AM-LFS on the digits of scikit-learn, 20 % of the training labels wrong. The smallest whole
# search.
#   tools/dist_train.sh configs/small/digits/amlfs_resnet20_digits.py 2
# Cost: 8 x the baseline's compute.
# Expected: 97.37 +- 0.68 % top-1 accuracy, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_resnet20_digits.py', '../../_base_/search/literal.py']
loss_search = dict(num_candidates=8, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
