# MGN's input: 384 x 128, mirrored; features compared by Euclidean distance.
_base_ = ['./market1501.py']
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(128, 384)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(128, 384)),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
val_evaluator = dict(distance='euclidean')
test_evaluator = dict(distance='euclidean')
