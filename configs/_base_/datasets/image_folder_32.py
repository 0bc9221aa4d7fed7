# Any data set of one folder a class: <data_root>/{train,val,test}/<class>/*.png, made 32 x 32.
# `val` is D_v. Point it at your data with the environment variable DATA_ROOT, and for other than 10
# classes with --cfg-options model.head.num_classes=... data_preprocessor.num_classes=...
data_root = '{{$DATA_ROOT:data/image_folder}}'
data_preprocessor = dict(
    num_classes=10,
    mean=[125.307, 122.961, 113.8575],
    std=[62.993, 62.089, 66.705],
    to_rgb=True,  # files are decoded as BGR
)
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(32, 32)),
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(32, 32)),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(
        type='amlfs_mm.ImageFolder', data_root=data_root, split='train', pipeline=train_pipeline
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=2,
    dataset=dict(
        type='amlfs_mm.ImageFolder', data_root=data_root, split='val', pipeline=test_pipeline
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=500,
    num_workers=2,
    dataset=dict(
        type='amlfs_mm.ImageFolder', data_root=data_root, split='test', pipeline=test_pipeline
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
