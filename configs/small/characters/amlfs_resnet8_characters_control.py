# Ablation of amlfs_resnet8_characters_ceiling.py: one of the 4 candidates is a run without a
# search. The better one of both on D_v is kept.
#   DATA_ROOT=... tools/dist_train.sh configs/small/characters/amlfs_resnet8_characters_control.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_characters_ceiling.py']
loss_search = dict(control=True)
