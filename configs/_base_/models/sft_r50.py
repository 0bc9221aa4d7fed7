# SFT (Luo et al., arXiv 1811.11405, and its published code): ResNet-50 without the last stride,
# spectral transform in training, a shared cosine classifier of s = 15 with margin 0.3. The feature
# is the pooled 2048-d one, by cosine. (Their ResNet is MXNet's pre-activation one, whose weights
# torch lacks.)
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(
        type='ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='amlfs_mm.SFTHead',
        in_channels=2048,
        reduced_channels=512,
        num_classes=676,
        temperature=0.1,
        classifier=dict(type='amlfs_mm.SoftmaxHead', scale=15.0, margin=0.3),
    ),
)
