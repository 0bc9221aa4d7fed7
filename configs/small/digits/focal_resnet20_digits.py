# Control for amlfs_resnet20_digits.py: a hand-made loss that stays, the focal loss with alpha = 2.
#   python tools/train.py configs/small/digits/focal_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
_base_ = ['./baseline_resnet20_digits.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='focal', alpha=2)))
