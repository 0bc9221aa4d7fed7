# Control for amlfs_resnet20_digits_shift.py at the same compute: 8 copies of plain softmax in each
# epoch. The best on D_v goes on.
#   tools/dist_train.sh configs/small/digits/best_of_b_resnet20_digits_shift.py 2
# Cost: that of amlfs_resnet20_digits_shift.py.
# Expected: 96.57 +- 0.75 % top-1 accuracy, 5 seeds, before commit 6f21ca7 (docs/benchmarks.md).
_base_ = ['./amlfs_resnet20_digits_shift.py']
loss_search = dict(policy=dict(sigma=0.0))
