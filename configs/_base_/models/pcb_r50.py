# PCB (Sun et al., arXiv 1711.09349) as torchreid has it: ResNet-50 without the last stride, from
# ImageNet weights; six stripes, each reduced to 256-d by one shared layer, with a classifier each.
# The feature is the six stripes before the reduction, 12,288-d.
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(
        type='amlfs_mm.TorchreidBackbone',
        name='pcb_p6',
        pretrained=True,
        input_size=(384, 128),
        parts=True,
    ),
    head=dict(
        type='amlfs_mm.PartsHead',
        num_classes=676,
        in_channels=256,
        num_parts=6,
        classifier=dict(type='amlfs_mm.SoftmaxHead'),
    ),
)
