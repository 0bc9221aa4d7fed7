# Paper: Table 6, B = 8 candidates, on Market-1501. (B = 32: amlfs_spherereid_market.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_market_b8.py 16
# Cost: 8 x the baseline's compute.
# Expected: 83.8 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_market.py']
loss_search = dict(num_candidates=8)
