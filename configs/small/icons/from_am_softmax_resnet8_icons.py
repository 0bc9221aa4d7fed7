# The search of amlfs_resnet8_icons.py, started at AM-softmax with m = 0.35 and s = 16.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/from_am_softmax_resnet8_icons.py 2
# Cost: that of amlfs_resnet8_icons.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_icons.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
