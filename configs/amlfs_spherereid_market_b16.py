# Paper: Table 6, B = 16 candidates, on Market-1501. (B = 32: amlfs_spherereid_market.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_market_b16.py 32
# Cost: 16 x the baseline's compute.
# Expected: 84.2 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_market.py']
loss_search = dict(num_candidates=16)
