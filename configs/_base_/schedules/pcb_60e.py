# PCB: SGD, 0.1, / 10 at 40, 60 epochs; a tenth of that for the layers with ImageNet weights.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True),
    paramwise_cfg=dict(
        custom_keys={'backbone': dict(lr_mult=0.1), 'backbone.model.conv5': dict(lr_mult=1.0)}
    ),
)
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[40], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=10)
val_cfg = dict()
test_cfg = dict()
