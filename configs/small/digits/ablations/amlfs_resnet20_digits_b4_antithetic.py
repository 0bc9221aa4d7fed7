# Ablation of amlfs_resnet20_digits_b4.py: candidates in mirrored pairs, mu + delta and mu - delta.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_antithetic.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(policy=dict(antithetic=True))
