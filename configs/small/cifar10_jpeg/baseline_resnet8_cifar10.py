# Plain softmax on 6,000 images of CIFAR-10, without augmentation.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/cifar10_jpeg/baseline_resnet8_cifar10.py
# Cost: 40 epochs of 6,000 images, minutes on one core.
# Expected: no number yet.
_base_ = [
    '../../_base_/models/resnet20_cifar.py',
    '../../_base_/datasets/cifar10_jpeg.py',
    '../../_base_/schedules/cosine_40e.py',
    '../../_base_/default_runtime.py',
]
model = dict(backbone=dict(depth=8))
