# CASIA-WebFace aligned to 112 x 96 (tools/converters/align_faces.py), one folder an identity, in
# $DATA_ROOT/casia_webface, beside it the lists of the 59 identities of LFW and FaceScrub that
# AM-softmax trained without (docs/face.md). 2 % of the other 10,516 identities, fixed by seed, are
# D_v. LFW to test: $DATA_ROOT/lfw/pairs.txt and $DATA_ROOT/lfw/112x96. Batches of 256 (2 replicas
# of 128), 1,000 iterations an epoch. Without the lists: --cfg-options
# train_dataloader.dataset.exclude=[] val_dataloader.dataset.exclude=[] model.head.num_classes=10363
data_root = '{{$DATA_ROOT:data}}'
face_keys = ('sample_idx', 'img_path', 'person_id', 'role')
exclude = [
    data_root + '/webface_lfw_overlap.txt',
    data_root + '/webface_facescrub_overlap.txt',
]
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs', meta_keys=face_keys),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='PackInputs', meta_keys=face_keys),
]

train_dataloader = dict(
    batch_size=128,
    num_workers=4,
    dataset=dict(
        type='amlfs_mm.FaceDataset',
        data_root=data_root + '/casia_webface',
        part='train',
        held_out=0.02,
        exclude=exclude,
        pipeline=train_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='amlfs_mm.FixedLengthBatchSampler', num_batches=1000),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=4,
    dataset=dict(
        type='amlfs_mm.FaceDataset',
        data_root=data_root + '/casia_webface',
        part='val',
        held_out=0.02,
        exclude=exclude,
        pipeline=test_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=256,
    num_workers=4,
    dataset=dict(
        type='amlfs_mm.FacePairs',
        pairs=data_root + '/lfw/pairs.txt',
        data_root=data_root + '/lfw/112x96',
        pipeline=test_pipeline,
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='amlfs_mm.FaceIdentification')
test_evaluator = dict(type='amlfs_mm.FaceVerification')
