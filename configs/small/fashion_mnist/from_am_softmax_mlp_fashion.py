# The search of amlfs_mlp_fashion.py, started at AM-softmax with m = 0.35 and s = 30.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/from_am_softmax_mlp_fashion.py 2
# Cost: that of amlfs_mlp_fashion.py.
# Expected: no number yet.
_base_ = ['./amlfs_mlp_fashion.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
model = dict(head=dict(scale=30.0))
