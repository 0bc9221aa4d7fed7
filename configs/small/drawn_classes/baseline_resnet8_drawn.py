# Sphere softmax on many classes of drawn images.
#   NUM_CLASSES=500 python tools/train.py configs/small/drawn_classes/baseline_resnet8_drawn.py
# Cost: 10 epochs of 4 images of 8 x 8 for each class, seconds to a minute on one core.
# Expected: no number yet.
_base_ = [
    '../../_base_/models/resnet20_cifar.py',
    '../../_base_/datasets/drawn_classes.py',
    '../../_base_/schedules/short_10e.py',
    '../../_base_/default_runtime.py',
]
model = dict(
    backbone=dict(depth=8),
    head=dict(type='amlfs_mm.SoftmaxHead', num_classes=_base_.num_classes, scale=16.0),
)
