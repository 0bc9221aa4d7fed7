# A few thousand images of one folder a class (<DATA_ROOT>/{train,val,test}/<class>/*.png; `val` is
# D_v): half of the training images, all made 16 x 16, so that a search takes minutes on one core.
# Share of wrong labels in training: the environment variable LABEL_NOISE (0 to 1).
_base_ = ['./image_folder_32.py']
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(16, 16)),
    dict(type='amlfs_mm.LabelNoise', ratio={{'$LABEL_NOISE:0'}}, num_classes=10),
    dict(type='RandomCrop', crop_size=16, padding=2),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(16, 16)),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(
        _delete_=True,
        type='KFoldDataset',
        num_splits=2,
        seed=0,
        dataset=dict(
            type='amlfs_mm.ImageFolder',
            data_root=_base_.data_root,
            split='train',
            pipeline=train_pipeline,
        ),
    ),
)
val_dataloader = dict(num_workers=0, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(num_workers=0, dataset=dict(pipeline=test_pipeline))
