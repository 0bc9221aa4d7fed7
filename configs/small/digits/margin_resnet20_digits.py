# Control for amlfs_resnet20_digits.py: AM-softmax's margin of 0.35 on the cosine of unnormalised
# logits, as L-softmax has its margin. A loss that stays the same.
#   python tools/train.py configs/small/digits/margin_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
# Expected: 31.75 +- 7.59 % top-1 accuracy, 4 seeds (docs/benchmarks.md).
_base_ = ['./baseline_resnet20_digits.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=theta))
