# CIFAR-10 as two small files ($DATA_ROOT/{train,test}.npz; amlfs_mm.JPEGArchive says what is in
# them): the first 6,000 training images of an order fixed by a seed, or as many as the environment
# variable NUM_IMAGES says, 48,000 at most; the last 2,000 of that order are D_v; the whole test
# file. No augmentation, so that a network can learn wrong labels by heart.
# Share of wrong labels in training: the environment variable LABEL_NOISE (0 to 1).
data_root = '{{$DATA_ROOT:data/cifar10_jpeg}}'
data_preprocessor = dict(
    type='amlfs_mm.BatchDataPreprocessor',
    channels_last=True,  # faster on a CPU: docs/performance.md
    num_classes=10,
    mean=[125.307, 122.961, 113.8575],
    std=[62.993, 62.089, 66.705],
    to_rgb=True,  # images are decoded as BGR
)
load = dict(type='amlfs_mm.LoadWholeImage')
noise = dict(type='amlfs_mm.LabelNoise', ratio={{'$LABEL_NOISE:0'}}, num_classes=10)
train_pipeline = [load, noise, dict(type='PackInputs')]
test_pipeline = [load, dict(type='PackInputs')]
source = dict(type='amlfs_mm.JPEGArchive', data_root=data_root)
train_source = dict(**source, split='train', order_seed=0)

train_dataloader = dict(
    batch_size=100,
    num_workers=0,
    dataset=dict(**train_source, indices={{'$NUM_IMAGES:6000'}}, pipeline=train_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(**train_source, indices=list(range(48000, 50000)), pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(**source, split='test', pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
