# Paper: Table 4, "HA-CNN", on Market-1501.
#   tools/dist_train.sh configs/baseline_hacnn_market.py 1
# Cost: 300 epochs of about 360 iterations of batch 32.
# Expected: 75.7 % mAP, 91.2 % rank-1 (paper's numbers, which have all training identities:
# held_out=0).
_base_ = [
    './_base_/models/hacnn.py',
    './_base_/datasets/market1501_hacnn.py',
    './_base_/schedules/hacnn_300e.py',
    './_base_/default_runtime.py',
]
