# Paper: Table 6, B = 4 candidates, on DukeMTMC-reID. (B = 32: amlfs_spherereid_duke.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_duke_b4.py 8
# Cost: 4 x the baseline's compute.
# Expected: 68.4 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_duke.py']
loss_search = dict(num_candidates=4)
