# Ablation of amlfs_resnet20_digits_b4.py: candidates in mirrored pairs, mu + delta and mu - delta.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_antithetic.py 2
# Cost: that of amlfs_resnet20_digits_b4.py. Expected: docs/benchmarks.md.
_base_ = ['../amlfs_resnet20_digits_b4.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.antithetic = True
