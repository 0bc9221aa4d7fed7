# Control for amlfs_spherereid_synthetic.py at the same compute: 8 copies of the baseline in each
# epoch. The best on D_v goes on.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/best_of_b_spherereid_synthetic.py 2
# Cost: that of amlfs_spherereid_synthetic.py.
# Expected: no number yet.
_base_ = ['./amlfs_spherereid_synthetic.py']
loss_search = dict(policy=dict(sigma=0.0))
