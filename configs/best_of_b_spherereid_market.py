# Control for amlfs_spherereid_market.py, on Market-1501, which the paper lacks: 32 copies of the
# baseline in each epoch. They differ in their data order and augmentation alone. The best on D_v
# goes on.
#   tools/dist_train.sh configs/best_of_b_spherereid_market.py 64
# Cost: that of amlfs_spherereid_market.py.
# Expected: no number in the paper.
_base_ = ['./amlfs_spherereid_market.py']
loss_search = dict(policy=dict(sigma=0.0))
