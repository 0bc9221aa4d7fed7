# Plain softmax on the first 10,000 images of Fashion-MNIST, shifted and mirrored.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/baseline_resnet8_fashion.py
# Cost: 30 epochs of 10,000 images, minutes on one core.
# Expected: no number yet.
_base_ = [
    '../../_base_/models/resnet20_cifar.py',
    '../../_base_/datasets/fashion_mnist_10k.py',
    '../../_base_/schedules/cosine_30e.py',
    '../../_base_/default_runtime.py',
]
model = dict(backbone=dict(depth=8, in_channels=1))
