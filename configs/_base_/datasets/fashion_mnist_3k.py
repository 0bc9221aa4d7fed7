# Fashion-MNIST's four files, unpacked ($DATA_ROOT/train-images-idx3-ubyte ...; Debian has them as
# dataset-fashion-mnist): the first 3,000 training images, without augmentation, so that a network
# can learn wrong labels by heart; training images 50,000 to 50,999 are D_v; the whole test set.
# Share of wrong labels in training: the environment variable LABEL_NOISE (0 to 1).
data_root = '{{$DATA_ROOT:data/fashion_mnist}}'
data_preprocessor = dict(num_classes=10, mean=[73.0], std=[90.0], to_rgb=False)
train_pipeline = [
    dict(type='amlfs_mm.LabelNoise', ratio={{'$LABEL_NOISE:0'}}, num_classes=10),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]
source = dict(type='FashionMNIST', data_root=data_root, download=False)

train_dataloader = dict(
    batch_size=100,
    num_workers=0,
    dataset=dict(**source, split='train', indices=3000, pipeline=train_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=1000,
    num_workers=0,
    dataset=dict(
        **source, split='train', indices=list(range(50000, 51000)), pipeline=test_pipeline
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=1000,
    num_workers=0,
    # mmpretrain's class reads the training files unless test_mode is set, whatever split says.
    dataset=dict(**source, split='test', test_mode=True, pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
