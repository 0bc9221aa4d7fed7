# Control for amlfs_resnet8_fashion.py: a hand-made loss that stays, the focal loss with alpha = 2.
#   python tools/train.py configs/small/fashion_mnist/focal_resnet8_fashion.py
# Cost: that of baseline_resnet8_fashion.py.
_base_ = ['./baseline_resnet8_fashion.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='focal', alpha=2)))
