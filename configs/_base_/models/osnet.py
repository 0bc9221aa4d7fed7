# OSNet (Zhou et al., arXiv 1905.00953) as torchreid has it, from its ImageNet weights, with its
# label smoothing. The feature is the 512-d one that is classified.
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(type='amlfs_mm.TorchreidBackbone', name='osnet_x1_0', pretrained=True),
    head=dict(
        type='amlfs_mm.SoftmaxHead',
        num_classes=676,
        in_channels=512,
        loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1),
    ),
)
