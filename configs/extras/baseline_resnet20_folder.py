# Not in the paper. ResNet-20 with plain softmax on any images with one folder for each class,
# resized to 32 x 32.
#   DATA_ROOT=/path/to/data python tools/train.py configs/extras/baseline_resnet20_folder.py
# Cost: 60 epochs over your images.
# Expected: it depends on your images.
_base_ = [
    '../_base_/models/resnet20_cifar.py',
    '../_base_/datasets/image_folder_32.py',
    '../_base_/schedules/cifar_60e.py',
    '../_base_/default_runtime.py',
]
