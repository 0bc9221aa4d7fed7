# MLFN (Chang et al., arXiv 1803.09132) as torchreid has it, with its label smoothing. The feature
# is the 1024-d one that is classified. It starts from random weights: torchreid's ImageNet weights
# cannot be downloaded by a program. With the file from its model zoo: --cfg-options
# model.backbone.pretrained=FILE
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(type='amlfs_mm.TorchreidBackbone', name='mlfn'),
    head=dict(
        type='amlfs_mm.SoftmaxHead',
        num_classes=676,
        in_channels=1024,
        loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1),
    ),
)
