# SphereReID: Adam, 5e-5 to 1e-3 in a straight line over 20 epochs, / 10 at 80 and 100, 140 epochs.
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', by_epoch=True, start_factor=0.05, begin=0, end=20),
    dict(type='MultiStepLR', by_epoch=True, milestones=[80, 100], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=140, val_interval=10)
val_cfg = dict()
test_cfg = dict()
