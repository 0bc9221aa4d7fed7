# Ablation of from_am_softmax_resnet8_characters.py: t is bounded by the identity.
#   DATA_ROOT=... \
#       tools/dist_train.sh configs/small/characters/from_am_softmax_resnet8_characters_ceiling.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./from_am_softmax_resnet8_characters.py']
model = dict(head=dict(search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True)))
