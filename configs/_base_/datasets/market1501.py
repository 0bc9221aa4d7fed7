# Market-1501 as published, in $DATA_ROOT/market1501/Market-1501-v15.09.15 ($DATA_ROOT: data). 676
# of the 751 training identities train; 75, fixed by seed, are D_v (queries and a gallery); the
# test set is never part of the reward. Batches of 16 identities x 4 images, over all replicas of a
# model; an epoch is a full pass, about 180 iterations. All 751, without a D_v: --cfg-options
# train_dataloader.dataset.held_out=0 model.head.num_classes=751
data_root = '{{$DATA_ROOT:data}}'
data_preprocessor = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True,  # files are decoded as BGR
)
person_keys = ('sample_idx', 'img_path', 'person_id', 'camera_id', 'role')
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(128, 256)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs', meta_keys=person_keys),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(128, 256)),
    dict(type='PackInputs', meta_keys=person_keys),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    dataset=dict(
        type='amlfs_mm.ReIDDataset',
        source='market1501',
        data_root=data_root,
        part='train',
        held_out=0.1,
        pipeline=train_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='amlfs_mm.IdentityBatchSampler', num_instances=4, epoch='full'),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    dataset=dict(
        type='amlfs_mm.ReIDDataset',
        source='market1501',
        data_root=data_root,
        part='val',
        held_out=0.1,
        pipeline=test_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=128,
    num_workers=4,
    dataset=dict(
        type='amlfs_mm.ReIDDataset',
        source='market1501',
        data_root=data_root,
        part='test',
        pipeline=test_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='amlfs_mm.ReIDMetric', distance='cosine')
# The paper's RK rows: --cfg-options test_evaluator.rerank=True
test_evaluator = dict(type='amlfs_mm.ReIDMetric', distance='cosine', rerank=False)
