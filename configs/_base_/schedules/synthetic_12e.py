# 12 epochs of Adam, warmed up over 2, / 10 at 8 and 11.
optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-3, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', by_epoch=True, start_factor=0.1, begin=0, end=2),
    dict(type='MultiStepLR', by_epoch=True, milestones=[8, 11], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=4)
val_cfg = dict()
test_cfg = dict()
