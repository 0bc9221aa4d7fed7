# Plain softmax on 200 characters in 16 fonts, s = 16.
#   DATA_ROOT=... python tools/train.py configs/small/characters/baseline_resnet8_characters.py
# Cost: 30 epochs of 3,200 images, a few minutes on one core.
# Expected: 78.15 +- 1.64 % mAP, 5 draws of the characters (docs/benchmarks.md).
_base_ = [
    '../../_base_/models/resnet8_icons.py',
    '../../_base_/datasets/characters.py',
    '../../_base_/schedules/cosine_30e.py',
    '../../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=200))
# The best on D_v of the learning rates and weight decays that were tried (docs/benchmarks.md).
optim_wrapper = dict(optimizer=dict(lr=0.05, weight_decay=2e-2))
