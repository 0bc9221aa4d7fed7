# Control for amlfs_resnet20_cifar5k.py: the focal loss with alpha = 2, a loss that stays the same.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       python tools/train.py configs/small/cifar5k/focal_resnet20_cifar5k.py
# Cost: that of baseline_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_cifar5k.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='focal', alpha=2)))
