# The search of amlfs_resnet8_cifar10.py, started at AM-softmax with m = 0.35 and s = 30.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/from_am_softmax_resnet8_cifar10.py 2
# Cost: that of amlfs_resnet8_cifar10.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_cifar10.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
model = dict(head=dict(scale=30.0))
