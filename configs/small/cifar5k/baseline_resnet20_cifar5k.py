# Plain softmax on a few thousand CIFAR-10 images in folders, 16 x 16, short schedule.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       python tools/train.py configs/small/cifar5k/baseline_resnet20_cifar5k.py
# Cost: 10 epochs of 4,000 images, a minute on one core.
# Expected: no number yet.
_base_ = [
    '../../_base_/models/resnet20_cifar.py',
    '../../_base_/datasets/cifar5k.py',
    '../../_base_/schedules/short_10e.py',
    '../../_base_/default_runtime.py',
]
