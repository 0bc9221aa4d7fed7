# Control for amlfs_resnet20_digits_b4.py: losses are sampled from the initial distribution, which
# is never updated.
#   tools/dist_train.sh configs/small/digits/frozen_resnet20_digits_b4.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_digits_b4.py']
loss_search = dict(policy=dict(lr=0.0))
