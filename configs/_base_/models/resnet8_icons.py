# ResNet-8 of CIFAR's kind with an embedding of 64 numbers, and softmax of 16 cos. 300 classes: the
# 400 identities of icons to train, less a quarter.
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(type='amlfs_mm.CIFARResNet', depth=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='amlfs_mm.SoftmaxHead', num_classes=300, in_channels=64, scale=16.0),
)
