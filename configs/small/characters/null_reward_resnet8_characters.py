# Control for amlfs_resnet8_characters.py: mu learns from random rewards. The best on D_v still goes
# on.
#   DATA_ROOT=... tools/dist_train.sh configs/small/characters/null_reward_resnet8_characters.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_characters.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.NullReward'))
