# Icons in Market-1501's layout: what an icon means is its identity, the artists who drew it are its
# camera. Make them once, in a minute (docs/reid.md has the steps):
#   python tools/converters/make_icon_identities.py node_modules/@iconify/json data/icons
# 400 identities to train, of which 100, fixed by a seed, are D_v; 200 others to test. 48 x 48, made
# 24 x 24. Not mirrored: a mirrored arrow-left is another identity.
_base_ = ['./market1501.py']
data_root = '{{$DATA_ROOT:data/icons}}'
data_preprocessor = dict(mean=[194.4] * 3, std=[93.9] * 3)
pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='Resize', scale=(24, 24), interpolation='area'),
    dict(type='PackInputs', meta_keys=_base_.person_keys),
]
icons = dict(data_root=data_root, own_data=True, pipeline=pipeline)
train_dataloader = dict(
    batch_size=100,
    num_workers=0,
    dataset=dict(held_out=0.25, **icons),
    batch_sampler=None,
)
val_dataloader = dict(batch_size=500, num_workers=0, dataset=dict(held_out=0.25, **icons))
test_dataloader = dict(batch_size=500, num_workers=0, dataset=icons)
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
