# The search of amlfs_resnet8_characters.py, started at AM-softmax with m = 0.35 and s = 16.
#   DATA_ROOT=... \
#       tools/dist_train.sh configs/small/characters/from_am_softmax_resnet8_characters.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_characters.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
