# Control for amlfs_resnet20_digits.py: AM-softmax with m = 0.35 and s = 30, a loss that stays the
# same.
#   python tools/train.py configs/small/digits/am_softmax_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
# Expected: 95.93 +- 1.02 % top-1 accuracy, 5 seeds (docs/benchmarks.md).
_base_ = ['./baseline_resnet20_digits.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', scale=30.0, theta=theta))
