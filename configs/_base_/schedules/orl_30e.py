# 30 epochs of SGD, lr / 10 at 20 and 26.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2, bias_decay_mult=0),
)
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[20, 26], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=10)
val_cfg = dict()
test_cfg = dict()
