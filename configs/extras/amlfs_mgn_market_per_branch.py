# Not in the paper. MGN as in amlfs_mgn_market.py, with a theta for each of the 8 softmax losses (8
# x 24 numbers).
#   tools/dist_train.sh configs/extras/amlfs_mgn_market_per_branch.py 64
# Cost: that of amlfs_mgn_market.py.
# Expected: no number; not run.
_base_ = ['../amlfs_mgn_market.py']
model = dict(head=dict(type='amlfs_mm.PerBranchMGNHead'))
