# Paper: Table 5, "SphereReID+ours", on DukeMTMC-reID.
#   tools/dist_train.sh configs/amlfs_spherereid_duke.py 64
# Cost: 32 x the baseline's compute.
# Expected: 69.8 % mAP, 84.3 % rank-1 (paper's numbers).
_base_ = ['./baseline_spherereid_duke.py', './_base_/search/amlfs_reid.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
