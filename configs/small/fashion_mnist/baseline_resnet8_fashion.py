# Plain softmax on a subset of Fashion-MNIST, 20 % of the training labels wrong, short schedule.
#   python tools/train.py configs/small/fashion_mnist/baseline_resnet8_fashion.py
# Cost: 10 epochs of 2,000 images, a minute on one core.
# Expected: no number yet.
_base_ = [
    '../../_base_/models/resnet20_cifar.py',
    '../../_base_/datasets/fashion_mnist_subset.py',
    '../../_base_/schedules/short_10e.py',
    '../../_base_/default_runtime.py',
]
model = dict(backbone=dict(depth=8, in_channels=1))
