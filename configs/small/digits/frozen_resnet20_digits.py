# Control for amlfs_resnet20_digits.py: the paper's section 4.6. Losses are sampled from the initial
# distribution, which is never updated.
#   tools/dist_train.sh configs/small/digits/frozen_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
# Expected: 96.87 +- 0.45 % top-1 accuracy, 5 seeds (docs/benchmarks.md).
_base_ = ['./amlfs_resnet20_digits.py']
loss_search = dict(policy=dict(lr=0.0))
