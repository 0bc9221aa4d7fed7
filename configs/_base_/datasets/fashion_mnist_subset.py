# Fashion-MNIST's four files, unpacked (data/fashion_mnist/train-images-idx3-ubyte ...; Debian has
# them as dataset-fashion-mnist): of the first 2,400 training images 2,000 to train with 20 % of
# their labels wrong, 400 clean ones as D_v (fixed by seed); the first 2,000 test images.
data_root = '{{$DATA_ROOT:data/fashion_mnist}}'
data_preprocessor = dict(num_classes=10, mean=[73.0], std=[90.0], to_rgb=False)
train_pipeline = [
    dict(type='amlfs_mm.LabelNoise', ratio=0.2, num_classes=10),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]
source = dict(type='FashionMNIST', data_root=data_root, split='train', download=False, indices=2400)
fold = dict(type='KFoldDataset', num_splits=6, seed=0)

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(**fold, dataset=dict(**source, pipeline=train_pipeline)),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=400,
    num_workers=0,
    dataset=dict(**fold, test_mode=True, dataset=dict(**source, pipeline=test_pipeline)),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(
        type='FashionMNIST',
        data_root=data_root,
        split='test',
        test_mode=True,  # without it mmpretrain's class reads the training files
        download=False,
        indices=2000,
        pipeline=test_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
