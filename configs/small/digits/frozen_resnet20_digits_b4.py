# Control for amlfs_resnet20_digits_b4.py: the distribution of losses is never updated.
#   tools/dist_train.sh configs/small/digits/frozen_resnet20_digits_b4.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
_base_ = ['./frozen_resnet20_digits.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
