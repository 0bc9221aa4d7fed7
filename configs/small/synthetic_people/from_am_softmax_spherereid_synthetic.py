# The search of amlfs_spherereid_synthetic.py, started at AM-softmax with m = 0.35.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/from_am_softmax_spherereid_synthetic.py 2
# Cost: that of amlfs_spherereid_synthetic.py.
# Expected: no number yet.
_base_ = ['./amlfs_spherereid_synthetic.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
