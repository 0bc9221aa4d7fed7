# Control for amlfs_resnet20_cifar5k.py: AM-softmax with m = 0.35 and s = 30, a loss that stays the
# same.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       python tools/train.py configs/small/cifar5k/am_softmax_resnet20_cifar5k.py
# Cost: that of baseline_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_cifar5k.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', scale=30.0, theta=theta))
