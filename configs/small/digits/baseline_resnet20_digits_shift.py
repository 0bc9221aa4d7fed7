# As baseline_resnet20_digits.py, with shifts of a pixel: in 20 epochs the net can't learn the wrong
# labels by heart then, and plain softmax needs no other loss.
#   python tools/train.py configs/small/digits/baseline_resnet20_digits_shift.py
# Cost: that of baseline_resnet20_digits.py.
_base_ = ['./baseline_resnet20_digits.py']
train_pipeline = [
    dict(type='amlfs_mm.LabelNoise', ratio=0.2, num_classes=10),
    dict(type='RandomCrop', crop_size=8, padding=1),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
