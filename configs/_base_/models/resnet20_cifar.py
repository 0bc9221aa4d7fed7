# He et al. (arXiv 1512.03385, section 4.2): ResNet-20, option A, 269,722 parameters.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='amlfs_mm.CIFARResNet', depth=20),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=10, in_channels=64, topk=(1,)),
)
