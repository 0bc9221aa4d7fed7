# Control for amlfs_spherereid_synthetic.py: the paper's section 4.6. Losses are sampled from the
# initial distribution, which is never updated.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/frozen_spherereid_synthetic.py 2
# Cost: that of amlfs_spherereid_synthetic.py.
# Expected: no number yet.
_base_ = ['./amlfs_spherereid_synthetic.py']
loss_search = dict(policy=dict(lr=0.0))
