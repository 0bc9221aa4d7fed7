# torchreid's recipe for ResNet-50 and MLFN (its issue 380): AMSGrad, 3e-4, / 10 at 20 and 40, 60
# epochs. Its first 5 epochs with a frozen backbone are left out.
optim_wrapper = dict(optimizer=dict(type='Adam', lr=3e-4, weight_decay=5e-4, amsgrad=True))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[20, 40], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=10)
val_cfg = dict()
test_cfg = dict()
