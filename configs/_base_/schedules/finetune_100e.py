# mmpretrain's fine-tuning (its resnet50_8xb8_cub.py): 100 epochs of SGD at batch 64, warmed up over
# 5 epochs, then the learning rate by a cosine to 0.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)
)
param_scheduler = [
    dict(
        type='LinearLR',
        by_epoch=True,
        start_factor=0.01,
        begin=0,
        end=5,
        convert_to_iter_based=True,
    ),
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=95, begin=5, end=100),
]
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=10)
val_cfg = dict()
test_cfg = dict()
