# Plain softmax on the first 3,000 images of Fashion-MNIST.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/baseline_mlp_fashion.py
# Cost: 30 epochs of 3,000 images, seconds on one core.
# Expected: 56.83 +- 0.24 % top-1 accuracy with LABEL_NOISE=0.4, 10 seeds (docs/benchmarks.md).
_base_ = [
    '../../_base_/models/mlp_784.py',
    '../../_base_/datasets/fashion_mnist_3k.py',
    '../../_base_/schedules/cosine_30e.py',
    '../../_base_/default_runtime.py',
]
