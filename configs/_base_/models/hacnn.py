# HA-CNN (Li et al., arXiv 1802.08122) as torchreid has it, from random weights as published; a
# classifier for the whole image and one for its four regions. The feature is both, 1024-d.
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(
        type='amlfs_mm.TorchreidBackbone', name='hacnn', input_size=(160, 64), parts=True
    ),
    head=dict(
        type='amlfs_mm.PartsHead',
        num_classes=676,
        in_channels=512,
        num_parts=2,
        classifier=dict(type='amlfs_mm.SoftmaxHead'),
    ),
)
