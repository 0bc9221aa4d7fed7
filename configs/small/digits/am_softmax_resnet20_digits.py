# Control for amlfs_resnet20_digits.py: a hand-made loss that stays, AM-softmax with
# m = 0.35 and its s = 30.
#   python tools/train.py configs/small/digits/am_softmax_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
_base_ = ['./baseline_resnet20_digits.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', scale=30.0, theta=theta))
