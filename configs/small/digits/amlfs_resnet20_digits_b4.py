# The search of amlfs_resnet20_digits.py with B = 4.
#   tools/dist_train.sh configs/small/digits/amlfs_resnet20_digits_b4.py 2
# Cost: half of amlfs_resnet20_digits.py's.
_base_ = ['./amlfs_resnet20_digits.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
