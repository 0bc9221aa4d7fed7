# Ablation of amlfs_resnet8_characters.py: t is bounded by the identity, so that no loss gives its
# target a logit above s cos.
#   DATA_ROOT=... tools/dist_train.sh configs/small/characters/amlfs_resnet8_characters_ceiling.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_characters.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True)))
