# Ablation of amlfs_resnet8_fashion.py: a search space in which every loss is legal.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/amlfs_resnet8_fashion_monotone.py 2
# Cost: that of amlfs_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_fashion.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.MonotoneSearchSpace')))
