# Paper: Table 2, "CE", 20 % of the training labels flipped to another class; D_v and test set are
# clean. ResNet-20 with plain softmax, by the recipe of He et al.
#   python tools/train.py configs/baseline_resnet20_cifar10_noise20.py
# Cost: 64k iterations of batch 128.
# Expected: 15.05 % top-1 error (paper's number).
_base_ = ['./baseline_resnet20_cifar10.py']
train_pipeline = [
    dict(type='amlfs_mm.LabelNoise', ratio=0.2, num_classes=10),
    *_base_.train_pipeline,
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
