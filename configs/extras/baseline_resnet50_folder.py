# Not in the paper. ResNet-50 from ImageNet weights, fine-tuned with plain softmax as mmpretrain
# does, on any photos with one folder for each class, at 224 x 224.
#   DATA_ROOT=/path/to/data python tools/train.py configs/extras/baseline_resnet50_folder.py
# Cost: 100 epochs over your images.
# Expected: it depends on your images.
_base_ = [
    '../_base_/models/resnet50_imagenet.py',
    '../_base_/datasets/image_folder_224.py',
    '../_base_/schedules/finetune_100e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=_base_.num_classes))
