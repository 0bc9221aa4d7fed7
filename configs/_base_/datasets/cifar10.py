# CIFAR-10 as published (data/cifar10/cifar-10-batches-py), 45k to train, 5k as D_v (fixed by seed),
# 10k to test. Shift by up to 4 pixels, mirror; normalised by channel.
data_preprocessor = dict(
    num_classes=10,
    mean=[125.307, 122.961, 113.8575],
    std=[62.993, 62.089, 66.705],
    to_rgb=False,  # the files are RGB
)
train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(
        type='KFoldDataset',
        num_splits=10,
        seed=0,
        dataset=dict(
            type='CIFAR10',
            data_root='data/cifar10',
            split='train',
            download=False,
            pipeline=train_pipeline,
        ),
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=2,
    dataset=dict(
        type='KFoldDataset',
        num_splits=10,
        seed=0,
        test_mode=True,
        dataset=dict(
            type='CIFAR10',
            data_root='data/cifar10',
            split='train',
            download=False,
            pipeline=test_pipeline,
        ),
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=500,
    num_workers=2,
    dataset=dict(
        type='CIFAR10',
        data_root='data/cifar10',
        split='test',
        download=False,
        pipeline=test_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
