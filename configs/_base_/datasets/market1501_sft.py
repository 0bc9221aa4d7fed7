# SFT's input: 256 x 128, mirrored, erased at random; 16 identities x 8 images, and as in its
# published code an epoch is one pass over the identities (42 iterations of 676), not over the
# images.
_base_ = ['./market1501.py']
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(128, 256)),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='RandomErasing',
        erase_prob=0.5,
        min_area_ratio=0.02,
        max_area_ratio=0.4,
        aspect_range=(0.3, 1 / 0.3),
        mode='const',
        fill_color=(127, 127, 127),
    ),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
train_dataloader = dict(
    batch_size=128,
    dataset=dict(pipeline=train_pipeline),
    batch_sampler=dict(num_instances=8, epoch='short'),
)
