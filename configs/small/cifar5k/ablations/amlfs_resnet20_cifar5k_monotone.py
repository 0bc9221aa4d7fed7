# Ablation of amlfs_resnet20_cifar5k.py: a search space in which every loss is legal.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/ablations/amlfs_resnet20_cifar5k_monotone.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_cifar5k.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.MonotoneSearchSpace')))
