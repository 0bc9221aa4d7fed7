# Plain softmax on the digits of scikit-learn, 20 % of the training labels wrong.
#   python tools/train.py configs/small/digits/baseline_resnet20_digits.py
# Cost: 20 epochs of 897 images of 8 x 8, under a minute on one CPU core.
# Expected: 91.03 +- 2.23 % top-1 accuracy, 5 seeds (docs/benchmarks.md).
_base_ = [
    '../../_base_/models/resnet20_cifar.py',
    '../../_base_/datasets/digits_noise20.py',
    '../../_base_/schedules/digits.py',
    '../../_base_/default_runtime.py',
]
