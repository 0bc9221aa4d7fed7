# cifar10_jpeg.py with shifts by up to 4 pixels and flips: wrong labels are not learnt by heart.
_base_ = ['./cifar10_jpeg.py']
train_pipeline = [
    _base_.load,
    _base_.noise,
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
