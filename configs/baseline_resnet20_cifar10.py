# Paper: Table 2, "CE", no label noise. ResNet-20 with plain softmax, by the recipe of He et al.
#   python tools/train.py configs/baseline_resnet20_cifar10.py
# Cost: 64k iterations of batch 128.
# Expected: 8.75 % top-1 error (paper's and He et al.'s number).
_base_ = [
    './_base_/models/resnet20_cifar.py',
    './_base_/datasets/cifar10.py',
    './_base_/schedules/cifar10_64k.py',
    './_base_/default_runtime.py',
]
