# Control for amlfs_resnet20_digits.py: the focal loss with alpha = 2, a loss that stays the same.
#   python tools/train.py configs/small/digits/focal_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
# Expected: 89.17 +- 3.38 % top-1 accuracy, 4 seeds (docs/benchmarks.md).
_base_ = ['./baseline_resnet20_digits.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='focal', alpha=2)))
