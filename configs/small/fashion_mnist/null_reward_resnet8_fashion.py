# Control for amlfs_resnet8_fashion.py: mu learns from random rewards. The best on D_v still goes
# on.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/null_reward_resnet8_fashion.py 2
# Cost: that of amlfs_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_fashion.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.NullReward'))
