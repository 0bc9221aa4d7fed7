# Paper: Table 4, "MLFN", on Market-1501.
#   tools/dist_train.sh configs/baseline_mlfn_market.py 1
# Cost: 60 epochs of about 360 iterations of batch 32.
# Expected: 74.3 % mAP, 90.0 % rank-1 (paper's numbers, which have all training identities:
# held_out=0).
_base_ = [
    './_base_/models/mlfn.py',
    './_base_/datasets/market1501_shuffled.py',
    './_base_/schedules/torchreid_60e.py',
    './_base_/default_runtime.py',
]
train_dataloader = dict(batch_size=32)
