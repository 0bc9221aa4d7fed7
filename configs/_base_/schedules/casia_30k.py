# AM-softmax's 30k iterations of SGD, lr / 10 after 16k, 24k and 28k; an epoch is 1,000 iterations
# (amlfs_mm.FixedLengthBatchSampler). Biases: twice the learning rate, no decay, as in the authors'
# prototxt.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2, bias_decay_mult=0),
)
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[16, 24, 28], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=2)
val_cfg = dict()
test_cfg = dict()
