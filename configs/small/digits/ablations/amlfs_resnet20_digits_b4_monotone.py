# Ablation of amlfs_resnet20_digits_b4.py: a search space in which every loss is legal.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_monotone.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.MonotoneSearchSpace')))
