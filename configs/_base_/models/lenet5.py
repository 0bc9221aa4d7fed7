# LeNet-5 of mmpretrain up to its 120 features (images of 32 x 32), and a linear classifier.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='LeNet5'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=10, in_channels=120, topk=(1,)),
)
