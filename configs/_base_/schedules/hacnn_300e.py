# The recipe of torchreid's author for HA-CNN (KaiyangZhou/deep-person-reid, issue 27): SGD, 0.03,
# / 10 at a half and three quarters of 300 epochs.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[150, 225], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=10)
val_cfg = dict()
test_cfg = dict()
