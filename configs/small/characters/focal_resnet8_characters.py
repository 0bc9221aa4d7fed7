# Control for amlfs_resnet8_characters.py: the focal loss with alpha = 2, a loss that stays the
# same.
#   DATA_ROOT=... python tools/train.py configs/small/characters/focal_resnet8_characters.py
# Cost: that of baseline_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_characters.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=dict(name='focal', alpha=2)))
