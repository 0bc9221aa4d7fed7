# Ablation of amlfs_resnet8_icons.py: t is bounded by the identity, so that no loss gives its target
# a logit above s cos.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/amlfs_resnet8_icons_ceiling.py 2
# Cost: that of amlfs_resnet8_icons.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_icons.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True)))
