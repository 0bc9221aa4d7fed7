# SphereReID's input: 288 x 144, of which 256 x 128 is cropped at random; mirrored. Tested whole.
_base_ = ['./market1501.py']
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(144, 288)),
    dict(type='RandomCrop', crop_size=(256, 128)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(144, 288)),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
