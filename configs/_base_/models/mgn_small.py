# MGN on a ResNet-18 a quarter as wide, from random weights, for a CPU; features of 8 x 32 numbers.
_base_ = ['./mgn_r50.py']
model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16, init_cfg=None),
    neck=dict(in_channels=128, out_channels=32),
    head=dict(num_classes=96, in_channels=128, reduced_channels=32),
)
