# Plain softmax on 300 identities of icons, s = 16.
#   DATA_ROOT=... python tools/train.py configs/small/icons/baseline_resnet8_icons.py
# Cost: 30 epochs of about 10,000 images, minutes on one core.
# Expected: no number yet.
_base_ = [
    '../../_base_/models/resnet8_icons.py',
    '../../_base_/datasets/icons.py',
    '../../_base_/schedules/cosine_30e.py',
    '../../_base_/default_runtime.py',
]
# The best on D_v of the learning rates and weight decays that were tried (docs/benchmarks.md).
optim_wrapper = dict(optimizer=dict(lr=0.05, weight_decay=2e-2))
