# SphereFace-20 a quarter as wide on 56 x 48, for small machines; a feature of 128 numbers.
_base_ = ['./sphereface20.py']
model = dict(
    backbone=dict(input_size=(56, 48), out_channels=128, base_channels=16),
    head=dict(num_classes=14, in_channels=128),
)
