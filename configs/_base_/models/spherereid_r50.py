# SphereReID (Fan et al., arXiv 1807.00537): ResNet-50, network D's head, sphere softmax of s = 14.
# The feature is the 1024-d embedding, by cosine. 676 classes: Market-1501's 751 less a tenth.
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(
        type='ResNet',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(type='amlfs_mm.EmbeddingNeck', in_channels=2048, out_channels=1024, dropout=0.5),
    head=dict(type='amlfs_mm.SoftmaxHead', num_classes=676, in_channels=1024, scale=14.0),
)
