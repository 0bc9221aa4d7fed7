# SFT: SGD, lr / 100 to 0.1 in a straight line over 20 epochs, / 10 at 80 and 100, 140 epochs; no
# weight decay on biases.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_decay_mult=0.0),
)
param_scheduler = [
    dict(type='LinearLR', by_epoch=True, start_factor=0.01, begin=0, end=20),
    dict(type='MultiStepLR', by_epoch=True, milestones=[80, 100], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=140, val_interval=10)
val_cfg = dict()
test_cfg = dict()
