# Control for amlfs_resnet8_cifar10.py: AM-softmax with m = 0.35 and s = 30, a loss that stays the
# same.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/cifar10_jpeg/am_softmax_resnet8_cifar10.py
# Cost: that of baseline_resnet8_cifar10.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_cifar10.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', scale=30.0, theta=theta))
