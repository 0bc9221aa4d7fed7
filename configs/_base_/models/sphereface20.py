# SphereFace's 20 convolutions on 112 x 96 (Liu et al. 2017), with AM-softmax's preprocessing (BGR,
# (x - 128) / 128) and its feature: of an image and its mirror image, by cosine. 10,306 classes:
# CASIA-WebFace's 10,575 less the 59 of the exclusion lists and the 210 of D_v.
data_preprocessor = dict(mean=[128.0] * 3, std=[128.0] * 3, to_rgb=False)
model = dict(
    type='amlfs_mm.EmbeddingClassifier',
    backbone=dict(type='amlfs_mm.SphereFace20'),
    head=dict(type='amlfs_mm.SoftmaxHead', num_classes=10306, in_channels=512),
    flip='average',
)
