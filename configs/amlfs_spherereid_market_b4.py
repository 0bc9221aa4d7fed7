# Paper: Table 6, B = 4 candidates, on Market-1501. (B = 32: amlfs_spherereid_market.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_market_b4.py 8
# Cost: 4 x the baseline's compute.
# Expected: 83.6 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_market.py']
loss_search = dict(num_candidates=4)
