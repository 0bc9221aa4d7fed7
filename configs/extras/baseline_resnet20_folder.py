# ResNet-20 with plain softmax on any images of one folder a class, brought to 32 x 32.
#   DATA_ROOT=/path/to/data python tools/train.py configs/extras/baseline_resnet20_folder.py
# Cost: 60 epochs.
_base_ = [
    '../_base_/models/resnet20_cifar.py',
    '../_base_/datasets/image_folder_32.py',
    '../_base_/schedules/cifar_60e.py',
    '../_base_/default_runtime.py',
]
