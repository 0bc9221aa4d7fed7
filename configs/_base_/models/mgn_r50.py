# MGN (Wang et al., arXiv 1804.01438): three branches from res_conv4_1 on, 8 plain softmax losses
# and 3 batch-hard triplet losses of margin 1.2. The feature is 8 x 256-d, averaged with the mirror
# image's.
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    flip='average',
    backbone=dict(
        type='amlfs_mm.MGNBackbone',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(type='amlfs_mm.MGNNeck', in_channels=2048, out_channels=256, stripes=(1, 2, 3)),
    head=dict(
        type='amlfs_mm.MGNHead',
        num_classes=676,
        classifier=dict(type='amlfs_mm.SoftmaxHead'),
        triplet=dict(type='amlfs_mm.BatchHardTripletLoss', margin=1.2),
    ),
)
