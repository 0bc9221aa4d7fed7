# Control for amlfs_resnet20_digits.py at the same compute: 8 copies of plain softmax in each epoch.
# They differ in their data order alone. The best on D_v goes on.
#   tools/dist_train.sh configs/small/digits/best_of_b_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
# Expected: 90.50 +- 2.69 % top-1 accuracy, 5 seeds (docs/benchmarks.md).
_base_ = ['./amlfs_resnet20_digits.py']
loss_search = dict(policy=dict(sigma=0.0))
