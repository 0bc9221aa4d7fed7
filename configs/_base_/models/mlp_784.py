# 784-128-128-64 with batch normalisation, and a linear classifier of 10 classes.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='amlfs_mm.MLP', in_channels=784, channels=(128, 128, 64)),
    head=dict(type='LinearClsHead', num_classes=10, in_channels=64, topk=(1,)),
)
