# Control for amlfs_resnet20_digits.py at the same compute: 8 copies of AM-softmax with m = 0.35 and
# s = 30 in each epoch. The best on D_v goes on.
#   tools/dist_train.sh configs/small/digits/best_of_b_am_softmax_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
# Expected: 95.72 +- 2.08 % top-1 accuracy, 3 seeds (docs/benchmarks.md).
_base_ = ['./from_am_softmax_resnet20_digits.py']
loss_search = dict(policy=dict(sigma=0.0))
