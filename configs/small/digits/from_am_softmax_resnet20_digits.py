# The search of amlfs_resnet20_digits.py, started at AM-softmax with m = 0.35 and s = 30.
#   tools/dist_train.sh configs/small/digits/from_am_softmax_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
# Expected: 96.17 % top-1 accuracy, one seed (docs/benchmarks.md).
_base_ = ['./amlfs_resnet20_digits.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
model = dict(head=dict(scale=30.0))
