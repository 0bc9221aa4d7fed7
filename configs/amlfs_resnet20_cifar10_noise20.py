# Paper: Table 2, "AM-LFS", 20 % of the training labels flipped to another class; D_v and test set
# are clean.
#   tools/dist_train.sh configs/amlfs_resnet20_cifar10_noise20.py 64
# Cost: 32 x the baseline's compute.
# Expected: 12.73 % top-1 error (paper's number).
_base_ = ['./baseline_resnet20_cifar10_noise20.py', './_base_/search/literal.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
