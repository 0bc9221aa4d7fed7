# Ablation of amlfs_resnet20_digits_b4.py: all candidates of an epoch see the same data.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_common_data.py 2
# Cost: that of amlfs_resnet20_digits_b4.py. Expected: docs/benchmarks.md.
_base_ = ['../amlfs_resnet20_digits_b4.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].common_random_numbers = True
