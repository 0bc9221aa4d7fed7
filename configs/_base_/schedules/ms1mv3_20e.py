# arcface_torch's 20 epochs of SGD at batch 1,024, the learning rate falling to 0 by iteration.
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(
    type='PolyLR', by_epoch=True, power=2, begin=0, end=20, convert_to_iter_based=True
)
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()
