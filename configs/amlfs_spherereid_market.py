# Paper: Table 4, "SphereReID+ours", on Market-1501.
#   tools/dist_train.sh configs/amlfs_spherereid_market.py 64
# Cost: 32 x the baseline's compute.
# Expected: 84.4 % mAP, 95.0 % rank-1 (paper's numbers).
_base_ = ['./baseline_spherereid_market.py', './_base_/search/amlfs_reid.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
