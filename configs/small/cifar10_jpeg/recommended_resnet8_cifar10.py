# The search that we recommend, on 6,000 images of CIFAR-10, without augmentation, B = 8 with a
# control.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/recommended_resnet8_cifar10.py 2
# Cost: 8 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_cifar10.py', '../../_base_/search/recommended.py']
model = dict(
    head=dict(
        type='amlfs_mm.AMLFSHead',
        num_intervals=6,
        search_space=dict(type='amlfs_mm.SearchSpace', searched='tau'),
    )
)
