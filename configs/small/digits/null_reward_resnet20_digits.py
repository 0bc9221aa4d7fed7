# Control for amlfs_resnet20_digits.py: mu learns from random rewards. The best on D_v still goes
# on.
#   tools/dist_train.sh configs/small/digits/null_reward_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
# Expected: 97.39 +- 0.86 % top-1 accuracy, 3 seeds (docs/benchmarks.md).
_base_ = ['./amlfs_resnet20_digits.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.NullReward'))
