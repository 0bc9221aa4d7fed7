# Control for amlfs_resnet8_cifar10.py: mu learns from random rewards. The best on D_v still goes
# on.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/null_reward_resnet8_cifar10.py 2
# Cost: that of amlfs_resnet8_cifar10.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_cifar10.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.NullReward'))
