# Control for amlfs_resnet20_digits.py: -log(p + 0.5), a loss that stays the same and that forgives
# wrong labels.
#   python tools/train.py configs/small/digits/robust_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
# Expected: 84.80 +- 10.10 % top-1 accuracy, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_resnet20_digits.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='robust', b=0.5)))
