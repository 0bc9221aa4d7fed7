# Control for amlfs_resnet8_fashion.py: the focal loss with alpha = 2, a loss that stays the same.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/focal_resnet8_fashion.py
# Cost: that of baseline_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_fashion.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='focal', alpha=2)))
