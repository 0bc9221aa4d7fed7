# Ablation of amlfs_resnet20_digits_b4.py: mu itself is one of the candidates.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_include_mean.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: 71.58 +- 308.13 % top-1 accuracy, 2 seeds (docs/benchmarks.md).
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(policy=dict(include_mean=True))
