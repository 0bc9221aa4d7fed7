# insightface's IR-50 on 112 x 112, RGB, (x - 127.5) / 127.5, which is what its library feeds models
# with. 92,497 classes: MS1MV3's 93,431 less the 934 of D_v (1 %). The class weights are spread over
# the replicas, and start as arcface_torch's.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(type='amlfs_mm.IResNet', depth=50),
    head=dict(
        type='amlfs_mm.SoftmaxHead',
        num_classes=92497,
        in_channels=512,
        scale=64.0,
        sharded=True,
        init_cfg=dict(type='Normal', layer='Linear', std=0.01),
    ),
    flip='average',
)
