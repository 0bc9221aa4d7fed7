# SFT on a ResNet-18 a quarter as wide, from random weights, for a CPU.
_base_ = ['./sft_r50.py']
model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16, init_cfg=None),
    head=dict(in_channels=128, reduced_channels=128, num_classes=96),
)
