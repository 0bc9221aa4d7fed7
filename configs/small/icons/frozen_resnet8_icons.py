# Control for amlfs_resnet8_icons.py: the paper's section 4.6. Losses are sampled from the initial
# distribution, which is never updated.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/frozen_resnet8_icons.py 2
# Cost: that of amlfs_resnet8_icons.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_icons.py']
loss_search = dict(policy=dict(lr=0.0))
