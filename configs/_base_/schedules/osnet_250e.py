# torchreid's recipe for OSNet (im_osnet_x1_0_softmax_256x128_amsgrad_cosine.yaml): AMSGrad, 1.5e-3
# by a cosine to 0 over 250 epochs. Its first 10 epochs with a frozen backbone are left out.
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1.5e-3, weight_decay=5e-4, amsgrad=True))
param_scheduler = dict(type='CosineAnnealingLR', by_epoch=True, T_max=250)
train_cfg = dict(by_epoch=True, max_epochs=250, val_interval=10)
val_cfg = dict()
test_cfg = dict()
