# Not in the paper. OSNet on Market-1501; torchreid's model zoo has 82.6 % mAP, 94.2 % rank-1 from
# all training identities.
#   tools/dist_train.sh configs/baseline_osnet_market.py 1
# Cost: 250 epochs of about 180 iterations of batch 64.
# Expected: no number in the paper.
_base_ = [
    './_base_/models/osnet.py',
    './_base_/datasets/market1501_shuffled.py',
    './_base_/schedules/osnet_250e.py',
    './_base_/default_runtime.py',
]
