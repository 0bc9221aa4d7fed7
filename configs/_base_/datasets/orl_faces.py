# The ORL database in $DATA_ROOT/orl_faces/sNN/MM.pgm (30 subjects x 10 images; Samaria and Harter
# 1994, AT&T Laboratories Cambridge). Of subjects 1 to 20, 6 (fixed by seed) are D_v and 14 train;
# 21 to 30 test: rank-1 of 90 probes in a gallery of 10, and verification of 900 drawn pairs.
# 56 x 48, mirrored, batches of 28.
_base_ = ['./casia_webface.py']
orl = _base_.data_root + '/orl_faces'
own = '{{ fileDirname }}'
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(48, 56)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs', meta_keys=_base_.face_keys),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(48, 56)),
    dict(type='PackInputs', meta_keys=_base_.face_keys),
]
split = dict(data_root=orl, held_out=0.3, exclude=[], keep=own + '/orl_train.txt')
train_dataloader = dict(
    batch_size=28,
    num_workers=0,
    dataset=dict(pipeline=train_pipeline, **split),
    batch_sampler=None,
)
val_dataloader = dict(num_workers=0, dataset=dict(pipeline=test_pipeline, **split))
test_dataloader = dict(
    num_workers=0,
    dataset=dict(
        _delete_=True,
        type='amlfs_mm.FaceDataset',
        data_root=orl,
        part='test',
        keep=own + '/orl_test.txt',
        pipeline=test_pipeline,
    ),
)
test_evaluator = [
    dict(type='amlfs_mm.FaceIdentification'),
    dict(type='amlfs_mm.FaceVerification', pairs='drawn', false_accept_rates=(1e-2,)),
]
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
