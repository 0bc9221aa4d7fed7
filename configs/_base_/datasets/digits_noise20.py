# scikit-learn's 1,797 handwritten digits: 897 to train with 20 % of their labels wrong, 300 clean
# as D_v, 600 clean to test. In the wheel: nothing to download. No augmentation: with shifts of a
# pixel 20 epochs are too few for plain softmax to learn the wrong labels by heart.
data_preprocessor = dict(
    type='amlfs_mm.BatchDataPreprocessor',
    channels_last=True,  # faster on a CPU: docs/performance.md
    num_classes=10,
    mean=[127.5] * 3,
    std=[127.5] * 3,
    to_rgb=False,
)
train_pipeline = [
    dict(type='amlfs_mm.LabelNoise', ratio=0.2, num_classes=10),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    dataset=dict(type='amlfs_mm.Digits', split='train', pipeline=train_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=300,
    num_workers=0,
    dataset=dict(type='amlfs_mm.Digits', split='val', pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=300,
    num_workers=0,
    dataset=dict(type='amlfs_mm.Digits', split='test', pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
