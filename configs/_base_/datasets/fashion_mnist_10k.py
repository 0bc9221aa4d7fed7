# fashion_mnist_3k.py with the first 10,000 training images, shifted by up to 2 pixels and mirrored.
_base_ = ['./fashion_mnist_3k.py']
train_pipeline = [
    dict(type='amlfs_mm.LabelNoise', ratio={{'$LABEL_NOISE:0'}}, num_classes=10),
    dict(type='RandomCrop', crop_size=28, padding=2),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(indices=10000, pipeline=train_pipeline))
