# Paper: Table 6, B = 16 candidates, on DukeMTMC-reID. (B = 32: amlfs_spherereid_duke.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_duke_b16.py 32
# Cost: 16 x the baseline's compute.
# Expected: 69.7 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_duke.py']
loss_search = dict(num_candidates=16)
