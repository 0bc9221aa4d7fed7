# ResNet-50 with mmpretrain's ImageNet weights and a new classifier. Other weights, a URL or a file
# of mmpretrain: --cfg-options model.backbone.init_cfg.checkpoint=...; of torchvision, with
# model.backbone.init_cfg.prefix=None besides; none: model.backbone.init_cfg=None
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet',
        depth=50,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmclassification/v0/resnet/'
            'resnet50_8xb32_in1k_20210831-ea4938fc.pth',
            prefix='backbone',
        ),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=1000, in_channels=2048, topk=(1,)),
)
