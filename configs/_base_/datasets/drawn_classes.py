# Drawn 8 x 8 images of as many classes as the environment variable NUM_CLASSES says: 4 a class to
# train, 1 as D_v, 2 to test.
num_classes = {{'$NUM_CLASSES:500'}}
data_preprocessor = dict(num_classes=num_classes, mean=[127.5] * 3, std=[127.5] * 3, to_rgb=False)
pipeline = [dict(type='PackInputs')]
drawn = dict(type='amlfs_mm.DrawnClasses', num_classes=num_classes, pipeline=pipeline)

train_dataloader = dict(
    batch_size=100,
    num_workers=0,
    dataset=dict(**drawn, split='train'),
    sampler=dict(type='DefaultSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(**drawn, split='val'),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(**drawn, split='test'),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
in_memory_gib = 2  # more is loaded image by image; docs/performance.md
