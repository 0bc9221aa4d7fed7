# Control for from_am_softmax_resnet8_icons.py at the same compute: 4 copies of AM-softmax in each
# epoch. The best on D_v goes on.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/best_of_b_am_softmax_resnet8_icons.py 2
# Cost: that of amlfs_resnet8_icons.py.
# Expected: no number yet.
_base_ = ['./from_am_softmax_resnet8_icons.py']
loss_search = dict(policy=dict(sigma=0.0))
