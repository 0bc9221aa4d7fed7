# Paper: Table 7, M = 3 intervals, on Market-1501. (M = 6: amlfs_spherereid_market.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_market_m3.py 64
# Cost: 32 x the baseline's compute.
# Expected: 83.8 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_market.py']
model = dict(head=dict(num_intervals=3))
