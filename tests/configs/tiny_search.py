# The digits search, cut down to seconds: a smaller net, 96 images, B = 4, 3 epochs; schedules by
# iteration and by epoch, augmentation on. Data are not serialised: before that mmengine collects
# garbage, which takes a third of a second for each data set.
_base_ = ['../../configs/small/digits/amlfs_resnet20_digits.py']
model = dict(backbone=dict(depth=8, base_channels=4), head=dict(in_channels=16))
train_pipeline = [
    dict(type='amlfs_mm.LabelNoise', ratio=0.2, num_classes=10),
    dict(type='RandomCrop', crop_size=8, padding=1),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=16, dataset=dict(indices=96, pipeline=train_pipeline, serialize_data=False)
)
val_dataloader = dict(dataset=dict(indices=100, serialize_data=False))
test_dataloader = dict(dataset=dict(indices=100, serialize_data=False))
train_cfg = dict(max_epochs=3)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, start_factor=0.5, end=8),
    dict(type='MultiStepLR', by_epoch=True, milestones=[2], gamma=0.1),
]
loss_search = dict(num_candidates=4)
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
