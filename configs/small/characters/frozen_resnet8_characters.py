# Control for amlfs_resnet8_characters.py: the paper's section 4.6. Losses are sampled from the
# initial distribution, which is never updated.
#   DATA_ROOT=... tools/dist_train.sh configs/small/characters/frozen_resnet8_characters.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_characters.py']
loss_search = dict(policy=dict(lr=0.0))
