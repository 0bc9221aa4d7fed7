# Ablation of amlfs_resnet20_digits_b4.py: no update of mu in epochs in which all candidates tie.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_ignore_ties.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.IgnoreTies'))
