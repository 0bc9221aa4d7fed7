# Ablation of amlfs_resnet20_digits_shift.py: a search space in which every loss is legal.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_shift_monotone.py 2
# Cost: that of amlfs_resnet20_digits_shift.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_shift.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.MonotoneSearchSpace')))
