# HA-CNN's input: 160 x 64, mirrored, in random order, batches of 32; Euclidean distance.
_base_ = ['./market1501_shuffled.py']
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(64, 160)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(64, 160)),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
