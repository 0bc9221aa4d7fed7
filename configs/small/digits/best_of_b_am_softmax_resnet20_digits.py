# Control for amlfs_resnet20_digits.py at the same compute: best-of-B of AM-softmax, s = 30.
#   tools/dist_train.sh configs/small/digits/best_of_b_am_softmax_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
_base_ = ['./from_am_softmax_resnet20_digits.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.sigma = 0.0
