# Ablation of amlfs_resnet8_fashion.py: a search space in which every loss is legal.
#   tools/dist_train.sh configs/small/fashion_mnist/amlfs_resnet8_fashion_monotone.py 2
# Cost: that of amlfs_resnet8_fashion.py.
# Expected: 66.38 +- 39.71 % top-1 accuracy, 2 seeds, at commit 5c1b479 (docs/benchmarks.md).
_base_ = ['./amlfs_resnet8_fashion.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.MonotoneSearchSpace')))
