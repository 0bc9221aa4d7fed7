# The search of amlfs_resnet20_cifar5k.py, started at AM-softmax with m = 0.35 and s = 30.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/from_am_softmax_resnet20_cifar5k.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_cifar5k.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
model = dict(head=dict(scale=30.0))
