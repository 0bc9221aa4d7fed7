# Control for amlfs_resnet20_digits.py: -log(p + 0.5), a loss that stays the same and that forgives
# wrong labels.
#   python tools/train.py configs/small/digits/robust_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_digits.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='robust', b=0.5)))
