# Control for amlfs_resnet8_icons.py: the focal loss with alpha = 2, a loss that stays the same.
#   DATA_ROOT=... python tools/train.py configs/small/icons/focal_resnet8_icons.py
# Cost: that of baseline_resnet8_icons.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_icons.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='focal', alpha=2)))
