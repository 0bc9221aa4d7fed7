# Control for from_am_softmax_resnet8_characters.py at the same compute: 4 copies of AM-softmax in
# each epoch. The best on D_v goes on.
#   DATA_ROOT=... \
#       tools/dist_train.sh configs/small/characters/best_of_b_am_softmax_resnet8_characters.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./from_am_softmax_resnet8_characters.py']
loss_search = dict(policy=dict(sigma=0.0))
