# Ablation of amlfs_resnet20_digits_b4.py: all candidates of an epoch see the same data.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_common_data.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(common_random_numbers=True)
