# Paper: Table 2, "AM-LFS", no label noise.
#   tools/dist_train.sh configs/amlfs_resnet20_cifar10.py 64
# Cost: 32 x the baseline's compute.
# Expected: 6.92 % top-1 error (paper's number).
_base_ = ['./baseline_resnet20_cifar10.py', './_base_/search/literal.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
