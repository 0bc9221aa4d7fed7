# Control for amlfs_resnet20_cifar5k.py: the paper's section 4.6. Losses are sampled from the
# initial distribution, which is never updated.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/frozen_resnet20_cifar5k.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_cifar5k.py']
loss_search = dict(policy=dict(lr=0.0))
