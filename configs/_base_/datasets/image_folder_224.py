# Any photos in one folder a class: <data_root>/{train,val,test}/<class>/*, cut to 224 x 224 as for
# ImageNet. D_v is `val`; without such a folder it is a tenth of each class of `train`, fixed by
# seed. Other settings are read from the environment: DATA_ROOT, and IMAGE_SIZE (224). The classes
# are counted in DATA_ROOT; for data elsewhere: --cfg-options model.head.num_classes=...
_base_ = ['./image_folder_32.py']
from amlfs_mm.datasets import count_classes  # noqa: E402  (behind _base_, or it is a lazy config)

num_classes = count_classes(_base_.data_root) or 1000
image_size = {{'$IMAGE_SIZE:224'}}
data_preprocessor = dict(
    num_classes=None, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
)
train_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='RandomResizedCrop', scale=image_size),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='amlfs_mm.LoadWholeImage'),
    dict(type='ResizeEdge', scale=round(image_size * 256 / 224), edge='short'),
    dict(type='CenterCrop', crop_size=image_size),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=64, num_workers=4, dataset=dict(held_out=0.1, pipeline=train_pipeline)
)
val_dataloader = dict(
    batch_size=64, num_workers=4, dataset=dict(held_out=0.1, pipeline=test_pipeline)
)
test_dataloader = dict(batch_size=64, num_workers=4, dataset=dict(pipeline=test_pipeline))
in_memory_gib = 0  # images of many sizes are loaded one by one
