# Paper: Table 4, "SphereReID", on Market-1501.
#   tools/dist_train.sh configs/baseline_spherereid_market.py 1
# Cost: 140 epochs of about 180 iterations of batch 64.
# Expected: 83.6 % mAP, 94.4 % rank-1 (paper's numbers, which have all training identities:
# held_out=0).
_base_ = [
    './_base_/models/spherereid_r50.py',
    './_base_/datasets/market1501_spherereid.py',
    './_base_/schedules/spherereid_140e.py',
    './_base_/default_runtime.py',
]
