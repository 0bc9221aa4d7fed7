# Control for amlfs_resnet8_characters.py: AM-softmax with m = 0.35 and s = 16, a loss that stays
# the same.
#   DATA_ROOT=... python tools/train.py configs/small/characters/am_softmax_resnet8_characters.py
# Cost: that of baseline_resnet8_characters.py.
# Expected: 75.43 +- 2.49 % mAP, 5 draws of the characters (docs/benchmarks.md).
_base_ = ['./baseline_resnet8_characters.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=theta))
