# Paper: Table 7, M = 10 intervals, on DukeMTMC-reID. (M = 6: amlfs_spherereid_duke.py.)
#   tools/dist_train.sh configs/amlfs_spherereid_duke_m10.py 64
# Cost: 32 x the baseline's compute.
# Expected: 69.5 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_duke.py']
model = dict(head=dict(num_intervals=10))
