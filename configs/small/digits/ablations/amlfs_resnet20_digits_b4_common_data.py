# Ablation of amlfs_resnet20_digits_b4.py: all candidates of an epoch see the same data.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_common_data.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: 96.42 +- 5.29 % top-1 accuracy, 2 seeds (docs/benchmarks.md).
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(common_random_numbers=True)
