# Paper: Table 7, M = 10 intervals, on Market-1501. (M = 6: amlfs_spherereid_market.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_market_m10.py 64
# Cost: 32 x the baseline's compute.
# Expected: 84.2 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_market.py']
model = dict(head=dict(num_intervals=10))
