# Ablation of amlfs_resnet20_digits_b4.py: mu itself is one of the candidates.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_include_mean.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(policy=dict(include_mean=True))
