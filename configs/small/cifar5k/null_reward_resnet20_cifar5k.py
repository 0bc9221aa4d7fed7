# Control for amlfs_resnet20_cifar5k.py: mu learns from random rewards. The best on D_v still goes
# on.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/null_reward_resnet20_cifar5k.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_cifar5k.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.NullReward'))
