# SphereReID's head on a ResNet-18 a quarter as wide, from random weights, for a CPU.
_base_ = ['./spherereid_r50.py']
model = dict(
    backbone=dict(
        depth=18, stem_channels=16, base_channels=16, strides=(1, 2, 2, 1), init_cfg=None
    ),
    neck=dict(in_channels=128, out_channels=128, dropout=0.1),
    head=dict(num_classes=96, in_channels=128),
)
