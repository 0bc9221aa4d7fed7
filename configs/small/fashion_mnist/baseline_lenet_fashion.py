# Plain softmax with LeNet-5 on the first 3,000 images of Fashion-MNIST.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/baseline_lenet_fashion.py
# Cost: 30 epochs of 3,000 images, a minute on one core.
# Expected: 75.19 +- 0.72 % top-1 accuracy with LABEL_NOISE=0.4, 5 seeds (docs/benchmarks.md).
_base_ = [
    '../../_base_/models/lenet5.py',
    '../../_base_/datasets/fashion_mnist_3k.py',
    '../../_base_/schedules/cosine_30e.py',
    '../../_base_/default_runtime.py',
]
data_preprocessor = dict(pad_size_divisor=32, pad_value=-73 / 90)  # black, to 32 x 32
