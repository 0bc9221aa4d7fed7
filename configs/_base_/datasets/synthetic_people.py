# Drawn pedestrians in Market-1501's layout; make them once, in seconds:
#   python tools/converters/make_synthetic_market.py data/synthetic
# 120 training identities, of which 24, fixed by seed, are D_v; 120 others, distractors and junk to
# test. 96 x 48, mirrored; batches of 8 identities x 4 images.
_base_ = ['./market1501.py']
data_root = '{{$DATA_ROOT:data/synthetic}}'
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(48, 96)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(48, 96)),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    dataset=dict(data_root=data_root, held_out=0.2, pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=0, dataset=dict(data_root=data_root, held_out=0.2, pipeline=test_pipeline)
)
test_dataloader = dict(num_workers=0, dataset=dict(data_root=data_root, pipeline=test_pipeline))
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
