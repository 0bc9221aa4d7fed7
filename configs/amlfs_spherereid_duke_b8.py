# Paper: Table 6, B = 8 candidates, on DukeMTMC-reID. (B = 32: amlfs_spherereid_duke.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_duke_b8.py 16
# Cost: 8 x the baseline's compute.
# Expected: 68.9 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_duke.py']
loss_search = dict(num_candidates=8)
