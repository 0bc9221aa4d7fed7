# He et al. (arXiv 1512.03385, section 4.2): SGD, 64k iterations of batch 128, lr / 10 at 32k, 48k.
# 45k images are 352 iterations an epoch: 182 epochs.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='MultiStepLR', by_epoch=False, milestones=[32000, 48000], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=182, val_interval=10)
val_cfg = dict()
test_cfg = dict()
