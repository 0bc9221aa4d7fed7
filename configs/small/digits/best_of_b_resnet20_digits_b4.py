# Control for amlfs_resnet20_digits_b4.py at the same compute: 4 copies of plain softmax in each
# epoch. The best on D_v goes on.
#   tools/dist_train.sh configs/small/digits/best_of_b_resnet20_digits_b4.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_digits_b4.py']
loss_search = dict(policy=dict(sigma=0.0))
