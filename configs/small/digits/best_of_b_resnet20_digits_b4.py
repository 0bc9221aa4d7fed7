# Control for amlfs_resnet20_digits_b4.py: 4 copies an epoch of plain softmax, the best goes on.
#   tools/dist_train.sh configs/small/digits/best_of_b_resnet20_digits_b4.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
_base_ = ['./best_of_b_resnet20_digits.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
