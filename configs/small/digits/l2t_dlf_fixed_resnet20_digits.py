# Control for l2t_dlf_resnet20_digits.py: the loss that its teacher starts with, -p / (1 + p). It
# stays the same.
#   python tools/train.py configs/small/digits/l2t_dlf_fixed_resnet20_digits.py
# Cost: that of baseline_resnet20_digits.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_digits.py']
model = dict(head=dict(type='amlfs_mm.L2TDLFHead'))
