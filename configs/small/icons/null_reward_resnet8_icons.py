# Control for amlfs_resnet8_icons.py: mu learns from random rewards. The best on D_v still goes on.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/null_reward_resnet8_icons.py 2
# Cost: that of amlfs_resnet8_icons.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_icons.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.NullReward'))
